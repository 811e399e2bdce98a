# Figures and tables, from aggregated data alone.


rule figures:
    input:
        all_figures(),


rule tables:
    input:
        all_tables(),


rule plot_agreement:
    input:
        "<results>/aggregate/layer_scores.parquet",
    output:
        figure_files("agreement"),
    log:
        "<logs>/plot_agreement.log",
    benchmark:
        "<benchmarks>/plot_agreement.tsv"
    conda:
        "../envs/figures.yaml"
    params:
        code=code("plot_agreement"),
        style=figure_style(),
        models=described_models(),
        method=config["rsa"]["method"],
    script:
        "../workflow_scripts/plot_agreement.py"


rule plot_matching:
    input:
        "<results>/aggregate/layer_scores.parquet",
    output:
        figure_files("matching"),
    log:
        "<logs>/plot_matching.log",
    benchmark:
        "<benchmarks>/plot_matching.tsv"
    conda:
        "../envs/figures.yaml"
    params:
        code=code("plot_matching"),
        style=figure_style(),
        models=described_models(),
        top_k=config["gwot"]["top_k"],
    script:
        "../workflow_scripts/plot_matching.py"


rule plot_transport_plans:
    input:
        scores="<results>/aggregate/layer_scores.parquet",
        concepts="<results>/inputs/concepts.tsv",
        plans=gwot_outputs("plan.safetensors"),
    output:
        figure_files("transport_plans"),
    log:
        "<logs>/plot_transport_plans.log",
    benchmark:
        "<benchmarks>/plot_transport_plans.tsv"
    conda:
        "../envs/figures.yaml"
    params:
        code=code("plot_transport_plans"),
        style=figure_style(),
        pair=config["figures"]["transport_plans"],
        alignments=gwot_keys(),
    script:
        "../workflow_scripts/plot_transport_plans.py"


rule tabulate_models:
    input:
        "<results>/aggregate/layer_scores.parquet",
    output:
        tsv="<results>/tables/models.tsv",
        tex="<results>/tables/models.tex",
    log:
        "<logs>/tabulate_models.log",
    benchmark:
        "<benchmarks>/tabulate_models.tsv"
    conda:
        "../envs/measures.yaml"
    params:
        code=code("tabulate_models"),
        models=described_models(),
    script:
        "../workflow_scripts/tabulate_models.py"
