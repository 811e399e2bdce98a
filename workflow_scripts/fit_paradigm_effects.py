"""Effects of the learning paradigm on every measure, unadjusted and from the mixed model."""

from repalign.analysis.layer_scores import readouts
from repalign.jobs.job import job
from repalign.measures.registry import in_role
from repalign.statistics.paradigm_effects import paradigm_effects
from repalign.storage.artefacts import read_table, write_table

with job(snakemake) as log:
    params = snakemake.params
    table = readouts(read_table(snakemake.input[0]), params.models)
    table = table[table["metric"].isin([measure.metric for measure in in_role("main", "detail")])]
    effects = paradigm_effects(table, params.models, params.confidence)
    write_table(snakemake.output[0], effects)
    log.info("\n%s", effects.to_string())
