# Figures and tables, from aggregated data alone.


rule figures:
    input:
        all_figures(),


rule tables:
    input:
        all_tables(),


rule plot_method:
    output:
        **figure_outputs("plot_method"),
    conda:
        "../envs/figures.yaml"
    params:
        style=figure_style(),
        settings=config["gwot"],
    script:
        "../workflow_scripts/plot_method.py"


rule plot_scores:
    input:
        "<results>/aggregate/layer_scores.parquet",
    output:
        **figure_outputs("plot_scores"),
    conda:
        "../envs/figures.yaml"
    params:
        style=figure_style(),
        models=described_models(),
        method=config["rsa"]["method"],
        top_k=config["gwot"]["top_k"],
        n_init=config["clustering"]["n_init"],
    script:
        "../workflow_scripts/plot_scores.py"


rule plot_plans:
    input:
        scores="<results>/aggregate/layer_scores.parquet",
        concepts="<results>/inputs/concepts.tsv",
        objects="<results>/aggregate/object_map.tsv",
        plans=gwot_outputs("plan.safetensors"),
    output:
        **figure_outputs("plot_plans"),
    conda:
        "../envs/figures.yaml"
    params:
        style=figure_style(),
        models=described_models(),
        pair=config["figures"]["transport_plans"],
        alignments=gwot_keys(),
    script:
        "../workflow_scripts/plot_plans.py"


rule plot_similarity:
    input:
        scores="<results>/aggregate/layer_scores.parquet",
        rdms="<results>/aggregate/rdms.safetensors",
        similarity="<results>/aggregate/model_similarity.tsv",
        alignments="<results>/aggregate/gwot_map.parquet" if map_pairs() else [],
    output:
        **figure_outputs("plot_similarity"),
    conda:
        "../envs/figures.yaml"
    params:
        style=figure_style(),
        models=described_models(),
        paradigms=paradigms(),
        method=config["rsa"]["method"],
        metric=config["rsa"]["metric"],
    script:
        "../workflow_scripts/plot_similarity.py"


rule plot_object_matching:
    input:
        "<results>/aggregate/object_matches.parquet",
    output:
        **figure_outputs("plot_object_matching"),
    conda:
        "../envs/figures.yaml"
    params:
        style=figure_style(),
        paradigms=paradigms(),
    script:
        "../workflow_scripts/plot_object_matching.py"


rule plot_convergence:
    input:
        trials="<results>/aggregate/trials.parquet",
        sensitivity=sensitivity_table(),
    output:
        **figure_outputs("plot_convergence"),
    conda:
        "../envs/figures.yaml"
    params:
        style=figure_style(),
    script:
        "../workflow_scripts/plot_convergence.py"


rule plot_paradigm_effects:
    input:
        "<results>/aggregate/paradigm_effects.tsv",
    output:
        **figure_outputs("plot_paradigm_effects"),
    conda:
        "../envs/figures.yaml"
    params:
        style=figure_style(),
        method=config["rsa"]["method"],
    script:
        "../workflow_scripts/plot_paradigm_effects.py"


rule tabulate_models:
    input:
        "<results>/aggregate/layer_scores.parquet",
    output:
        **table_outputs("models"),
    conda:
        "../envs/measures.yaml"
    params:
        models=described_models(),
    script:
        "../workflow_scripts/tabulate_models.py"
