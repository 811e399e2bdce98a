"""Write the names of the objects in the order of their image files, which is that of the triplets."""

from repalign.inputs.objects import file_order, read_order
from repalign.jobs.job import job
from repalign.storage.artefacts import write_text

with job(snakemake) as log:
    names = file_order(read_order(snakemake.input[0]))
    write_text(snakemake.output[0], "\n".join(names) + "\n")
    log.info("%d names", len(names))
