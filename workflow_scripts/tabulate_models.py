"""Every score of every model at its readout layer."""

from repalign.analysis.tables import model_table, to_latex
from repalign.jobs.job import job
from repalign.storage.artefacts import read_table, write_table, write_text

with job(snakemake) as log:
    table = model_table(read_table(snakemake.input[0]), snakemake.params.models)
    write_table(snakemake.output.tsv, table)
    write_text(snakemake.output.tex, to_latex(table))
