"""Write the names of the objects in the order of their image files, which is that of the triplets."""

from repalign.artefacts import write_text
from repalign.job import job
from repalign.objects import file_order, read_order

with job(snakemake) as log:
    names = file_order(read_order(snakemake.input[0]))
    write_text(snakemake.output[0], "\n".join(names) + "\n")
    log.info("%d names", len(names))
