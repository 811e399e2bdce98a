# The report: one page that holds everything it shows.


rule report:
    input:
        "<results>/report/index.html",


rule build_report:
    input:
        scores="<results>/aggregate/layer_scores.parquet",
        matches="<results>/aggregate/object_matches.parquet",
        trials="<results>/aggregate/trials.parquet",
        sensitivity=sensitivity_table(),
        concepts="<results>/inputs/concepts.tsv",
        humans=expand("<results>/inputs/humans/{human}.safetensors", human=HUMANS),
        figures=all_figures(),
        tables=all_tables(),
        images=thumbnail_folder(made_here=True),
        citations="config/citations.yaml",
    output:
        report_page(),
    conda:
        "../envs/report.yaml"
    params:
        assets=files_digest(sorted(SCRIPTS.glob("repalign/report/page.*"))),
        study=config["study"],
        models=MODELS,
        humans=HUMANS,
        confidence=config["statistics"]["confidence"],
        figures=study_figures(),
        tables=study_tables(),
        thumbnails=lambda wildcards: thumbnail_folder(),
        used=used_methods(),
        benchmarks=f"{STUDY}/benchmarks",
        logs=f"{STUDY}/logs",
        config=yaml.safe_dump(config, sort_keys=False, allow_unicode=True),
    script:
        "../workflow_scripts/build_report.py"


# `snakemake results/compare/demo/mine.tsv`: both studies have been run.
rule tabulate_comparison:
    input:
        first="results/{first}/aggregate/layer_scores.parquet",
        second="results/{second}/aggregate/layer_scores.parquet",
    output:
        "results/compare/{first}/{second}.tsv",
    log:
        "results/compare/logs/{first}/{second}.log",
    benchmark:
        "results/compare/benchmarks/{first}/{second}.tsv"
    wildcard_constraints:
        first="[a-z0-9_]+",
        second="[a-z0-9_]+",
    conda:
        "../envs/measures.yaml"
    params:
        code=code("tabulate_comparison"),
    script:
        "../workflow_scripts/tabulate_comparison.py"
