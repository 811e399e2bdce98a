"""Effects of the learning paradigm on every measure, with and without what goes with it."""

from repalign.aggregate import readouts
from repalign.artefacts import read_table, write_table
from repalign.job import job
from repalign.paradigm_effects import paradigm_effects

with job(snakemake) as log:
    params = snakemake.params
    table = readouts(read_table(snakemake.input[0]), params.models)
    table = table[~table["metric"].isin(params.left_out) & ~table["metric"].str.endswith("_columns")]
    effects = paradigm_effects(table, params.models, params.confidence)
    write_table(snakemake.output[0], effects)
    log.info("\n%s", effects.to_string())
