"""Join all measures by layer, and correlate them over layers."""

from repalign.analysis.correlations import (
    correlation_matrix,
    depth_correlations,
    grouped_correlations,
    joined,
)
from repalign.analysis.matching_predictors import matching_predictors
from repalign.jobs.job import job
from repalign.storage.artefacts import read_table, write_table

with job(snakemake) as log:
    params, output = snakemake.params, snakemake.output
    settings = {"confidence": params.statistics["confidence"]}
    table, columns = joined(read_table(snakemake.input[0]))
    write_table(output.joined, table)
    write_table(output.columns, columns)
    study = table[table["model"].isin(params.models)]
    groups = grouped_correlations(study, "convexity", "odd_one_out", params.finetuned, **settings)
    write_table(output.groups, groups)
    depths = depth_correlations(study, "convexity", "odd_one_out", params.finetuned, **settings)
    write_table(output.depths, depths)
    write_table(output.matrix, correlation_matrix(study, columns, params.finetuned, **settings))
    write_table(output.matching, matching_predictors(study, columns, params.finetuned, **settings))
    log.info("\n%s", groups.to_string())
