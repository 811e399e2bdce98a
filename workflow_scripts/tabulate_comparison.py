"""Two studies side by side: what changed beyond the intervals."""

from repalign.analysis.comparison import compare_studies, summary
from repalign.jobs.job import job
from repalign.storage.artefacts import read_table, write_table

with job(snakemake) as log:
    comparison = compare_studies(read_table(snakemake.input.first), read_table(snakemake.input.second))
    write_table(snakemake.output[0], comparison)
    wildcards = snakemake.wildcards
    log.info("%s", "\n".join(summary(comparison, (wildcards.first, wildcards.second))))
