"""Bring the odd-one-out judgements into unique_id order."""

from repalign.inputs.things import read_repeated_triplets, read_triplets
from repalign.jobs.job import job
from repalign.storage.artefacts import read_table, write_arrays

with job(snakemake) as log:
    files = snakemake.input
    objects = list(read_table(files.concepts)["object"])
    arrays = {"triplets": read_triplets(files.triplets, objects, files.order or None)}
    if files.repeated:
        arrays["repeated"] = read_repeated_triplets(files.repeated, objects, files.repeated_order or None)
    write_arrays(snakemake.output[0], arrays, {"objects": objects, "code": snakemake.params.code})
    log.info("%s", {name: len(array) for name, array in arrays.items()})
