"""The tables of the convexity study, and published numbers beside ours."""

from repalign.analysis.convexity_published import ConvexityStudy, compare_published
from repalign.analysis.convexity_tables import published_tables, readable, transform_table
from repalign.analysis.tables import formatted, to_latex
from repalign.jobs.job import job
from repalign.storage.artefacts import read_table, write_table, write_text

with job(snakemake) as log:
    params, files, output = snakemake.params, snakemake.input, snakemake.output
    scores, correlations = read_table(files.scores), read_table(files.correlations)
    study = ConvexityStudy(
        scores[scores["model"].isin(list(params.models))],
        correlations,
        params.models,
        params.finetuned,
        read_table(files.published) if files.published else None,
        n_boot=params.statistics["bootstraps"],
        confidence=params.statistics["confidence"],
        seed=params.seed,
    )
    tables = {
        "transform": transform_table(study),
        "correlations": correlations,
        "matching": read_table(files.matching),
        "published": compare_published(study),
    }
    for name, table in tables.items():
        write_table(output[f"{name}_tsv"], table)
        write_text(output[f"{name}_tex"], to_latex(formatted(table)))
    for name, table in published_tables(study).items():
        write_table(output[f"{name}_tsv"], table)
        write_text(output[f"{name}_tex"], to_latex(readable(table)))
    log.info("%s", tables["published"]["verdict"].value_counts().to_dict())
