"""Join what stands beside every alignment in two tidy tables."""

import pandas as pd
from repalign.jobs.job import job
from repalign.storage.artefacts import read_table, write_table

with job(snakemake) as log:
    for name in ("robustness", "sensitivity"):
        table = pd.concat([read_table(path) for path in snakemake.input[name]], ignore_index=True)
        write_table(snakemake.output[name], table)
        log.info("%s: %d rows", name, len(table))
