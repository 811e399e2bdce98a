# The convexity study: convexity of every layer before and after the transform, and how it hangs together with the rest.


rule convexity_study:
    input:
        convexity_study_outputs(),


rule score_convexity:
    input:
        model=f"<results>/embeddings/{config['convexity']['image_set']}/{{model}}.safetensors",
        concepts="<results>/inputs/concepts.tsv",
        transform=transform_file,
    output:
        "<results>/convexity/{space}/{model}/{layer}.tsv",
    log:
        "<logs>/score_convexity/{space}/{model}/{layer}.log",
    benchmark:
        "<benchmarks>/score_convexity/{space}/{model}/{layer}.tsv"
    conda:
        "../envs/measures.yaml"
    resources:
        mem_mb=2000,
        runtime=60,
    params:
        code=code("score_convexity"),
        settings=convexity_settings(),
        statistics=config["statistics"],
        seed=config["seed"],
    script:
        "../workflow_scripts/score_convexity.py"


rule aggregate_correlations:
    input:
        "<results>/aggregate/layer_scores.parquet",
    output:
        joined="<results>/aggregate/joined_layers.tsv",
        groups="<results>/aggregate/convexity_correlations.tsv",
        matrix="<results>/aggregate/correlation_matrix.tsv",
    log:
        "<logs>/aggregate_correlations.log",
    benchmark:
        "<benchmarks>/aggregate_correlations.tsv"
    conda:
        "../envs/measures.yaml"
    params:
        code=code("aggregate_correlations"),
        models=convexity_models(),
        finetuned=config["convexity"]["finetuned"],
        statistics=config["statistics"],
        seed=config["seed"],
    script:
        "../workflow_scripts/aggregate_correlations.py"


rule tabulate_convexity:
    input:
        scores="<results>/aggregate/layer_scores.parquet",
        correlations="<results>/aggregate/convexity_correlations.tsv",
        published=config["convexity"]["published"] or [],
    output:
        **{
            f"{name}_{ending}": f"<results>/tables/convexity_{name}.{ending}"
            for name in CONVEXITY_TABLES
            for ending in ("tsv", "tex")
        },
    log:
        "<logs>/tabulate_convexity.log",
    benchmark:
        "<benchmarks>/tabulate_convexity.tsv"
    conda:
        "../envs/measures.yaml"
    params:
        code=code("tabulate_convexity"),
        models=study_models(),
        finetuned=config["convexity"]["finetuned"],
    script:
        "../workflow_scripts/tabulate_convexity.py"


rule plot_convexity_depth:
    input:
        "<results>/aggregate/layer_scores.parquet",
    output:
        figure_outputs("convexity_depth"),
    log:
        "<logs>/plot_convexity_depth.log",
    benchmark:
        "<benchmarks>/plot_convexity_depth.tsv"
    conda:
        "../envs/figures.yaml"
    params:
        code=code("plot_convexity_depth"),
        style=figure_style(),
        models=study_models(),
        finetuned=config["convexity"]["finetuned"],
    script:
        "../workflow_scripts/plot_convexity_depth.py"


rule plot_convexity_alignment:
    input:
        joined="<results>/aggregate/joined_layers.tsv",
        correlations="<results>/aggregate/convexity_correlations.tsv",
    output:
        figure_outputs("convexity_alignment"),
    log:
        "<logs>/plot_convexity_alignment.log",
    benchmark:
        "<benchmarks>/plot_convexity_alignment.tsv"
    conda:
        "../envs/figures.yaml"
    params:
        code=code("plot_convexity_alignment"),
        style=figure_style(),
        finetuned=config["convexity"]["finetuned"],
    script:
        "../workflow_scripts/plot_convexity_alignment.py"


rule plot_convexity_neighbours:
    input:
        convexity_tables(),
    output:
        figure_outputs("convexity_neighbours"),
    log:
        "<logs>/plot_convexity_neighbours.log",
    benchmark:
        "<benchmarks>/plot_convexity_neighbours.tsv"
    conda:
        "../envs/figures.yaml"
    params:
        code=code("plot_convexity_neighbours"),
        style=figure_style(),
        models=study_models(),
        finetuned=config["convexity"]["finetuned"],
    script:
        "../workflow_scripts/plot_convexity_neighbours.py"


rule plot_convexity_correlations:
    input:
        "<results>/aggregate/correlation_matrix.tsv",
    output:
        figure_outputs("convexity_correlations"),
    log:
        "<logs>/plot_convexity_correlations.log",
    benchmark:
        "<benchmarks>/plot_convexity_correlations.tsv"
    conda:
        "../envs/figures.yaml"
    params:
        code=code("plot_convexity_correlations"),
        style=figure_style(),
    script:
        "../workflow_scripts/plot_convexity_correlations.py"
