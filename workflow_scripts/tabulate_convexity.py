"""The tables of the convexity study, and published numbers beside ours."""

from repalign.artefacts import read_table, write_table, write_text
from repalign.convexity_tables import compare_published, finetuning_table, transform_table
from repalign.job import job
from repalign.tables import formatted, to_latex

with job(snakemake.log[0]) as log:
    params, files, output = snakemake.params, snakemake.input, snakemake.output
    scores, correlations = read_table(files.scores), read_table(files.correlations)
    models, finetuned = params.models, params.finetuned
    scores = scores[scores["model"].isin(list(models))]
    tables = {
        "transform": transform_table(scores, models, finetuned),
        "finetuning": finetuning_table(scores, models, finetuned),
        "correlations": correlations,
    }
    published = read_table(files.published) if files.published else None
    tables["published"] = compare_published(published, scores, correlations, models, finetuned)
    for name, table in tables.items():
        write_table(output[f"{name}_tsv"], table)
        write_text(output[f"{name}_tex"], to_latex(formatted(table)))
    log.info("%s", tables["published"]["verdict"].value_counts().to_dict())
