"""Bring a human representation into unique_id order."""

from repalign.inputs.representations import System, write_human
from repalign.inputs.things import read_human, require_pairs
from repalign.jobs.job import job
from repalign.storage.artefacts import read_table

with job(snakemake) as log:
    row = snakemake.params.row
    objects = list(read_table(snakemake.input.concepts)["object"])
    array, present = read_human(row["path"], row["kind"], objects, row.get("order"), row["coverage"])
    require_pairs(present, row["path"])
    metadata = {"row": row, "code": snakemake.params.code}
    write_human(snakemake.output[0], System(array, tuple(present), row["kind"]), metadata)
    log.info("%s of shape %s", row["kind"], array.shape)
