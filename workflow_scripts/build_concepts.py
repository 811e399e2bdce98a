"""Bring the concepts and their categories into unique_id order."""

from repalign.inputs.things import read_concepts
from repalign.jobs.job import job
from repalign.storage.artefacts import write_table

with job(snakemake) as log:
    files = snakemake.input
    concepts = read_concepts(
        files.objects,
        files.categories or None,
        memberships_path=files.memberships or None,
        memberships_order=files.memberships_order or None,
        concepts_path=files.concepts or None,
        exclusive_order=snakemake.params.exclusive_order,
    )
    write_table(snakemake.output[0], concepts)
    log.info("%d objects in %d categories", len(concepts), concepts["category"].nunique())
