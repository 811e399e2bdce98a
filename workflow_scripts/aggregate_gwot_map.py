"""Join the alignments of every pair of systems in one tidy table."""

import pandas as pd
from repalign.jobs.job import job
from repalign.storage.artefacts import read_table, write_table

with job(snakemake) as log:
    table = pd.concat([read_table(path) for path in snakemake.input], ignore_index=True)
    write_table(snakemake.output[0], table)
    log.info("%d pairs", len(table))
