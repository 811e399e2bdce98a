# Figures and tables, from aggregated data alone.


rule figures:
    input:
        all_figures(),


rule tables:
    input:
        all_tables(),


rule plot_method:
    output:
        figure_outputs("method"),
    log:
        "<logs>/plot_method.log",
    benchmark:
        "<benchmarks>/plot_method.tsv"
    conda:
        "../envs/figures.yaml"
    params:
        code=code("plot_method"),
        style=figure_style(),
        settings=config["gwot"],
    script:
        "../workflow_scripts/plot_method.py"


rule plot_rdms:
    input:
        rdms="<results>/aggregate/rdms.safetensors",
        scores="<results>/aggregate/layer_scores.parquet",
    output:
        figure_outputs("rdms"),
    log:
        "<logs>/plot_rdms.log",
    benchmark:
        "<benchmarks>/plot_rdms.tsv"
    conda:
        "../envs/figures.yaml"
    params:
        code=code("plot_rdms"),
        style=figure_style(),
        models=described_models(),
        method=config["rsa"]["method"],
        metric=config["rsa"]["metric"],
    script:
        "../workflow_scripts/plot_rdms.py"


rule plot_agreement:
    input:
        "<results>/aggregate/layer_scores.parquet",
    output:
        figure_outputs("agreement"),
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


rule plot_transport_plans:
    input:
        scores="<results>/aggregate/layer_scores.parquet",
        concepts="<results>/inputs/concepts.tsv",
        plans=gwot_outputs("plan.safetensors"),
    output:
        figure_outputs("transport_plans"),
    log:
        "<logs>/plot_transport_plans.log",
    benchmark:
        "<benchmarks>/plot_transport_plans.tsv"
    conda:
        "../envs/figures.yaml"
    params:
        code=code("plot_transport_plans"),
        style=figure_style(),
        models=described_models(),
        pair=config["figures"]["transport_plans"],
        alignments=gwot_keys(),
    script:
        "../workflow_scripts/plot_transport_plans.py"


rule plot_matching:
    input:
        "<results>/aggregate/layer_scores.parquet",
    output:
        figure_outputs("matching"),
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


rule plot_category_matching:
    input:
        "<results>/aggregate/layer_scores.parquet",
    output:
        figure_outputs("category_matching"),
    log:
        "<logs>/plot_category_matching.log",
    benchmark:
        "<benchmarks>/plot_category_matching.tsv"
    conda:
        "../envs/figures.yaml"
    params:
        code=code("plot_category_matching"),
        style=figure_style(),
        models=described_models(),
        top_k=config["gwot"]["top_k"],
    script:
        "../workflow_scripts/plot_category_matching.py"


rule plot_fine_coarse:
    input:
        "<results>/aggregate/layer_scores.parquet",
    output:
        figure_outputs("fine_coarse"),
    log:
        "<logs>/plot_fine_coarse.log",
    benchmark:
        "<benchmarks>/plot_fine_coarse.tsv"
    conda:
        "../envs/figures.yaml"
    params:
        code=code("plot_fine_coarse"),
        style=figure_style(),
        models=described_models(),
    script:
        "../workflow_scripts/plot_fine_coarse.py"


rule plot_clustering:
    input:
        "<results>/aggregate/layer_scores.parquet",
    output:
        figure_outputs("clustering"),
    log:
        "<logs>/plot_clustering.log",
    benchmark:
        "<benchmarks>/plot_clustering.tsv"
    conda:
        "../envs/figures.yaml"
    params:
        code=code("plot_clustering"),
        style=figure_style(),
        models=described_models(),
        n_init=config["clustering"]["n_init"],
    script:
        "../workflow_scripts/plot_clustering.py"


rule plot_object_matching:
    input:
        "<results>/aggregate/object_matches.parquet",
    output:
        figure_outputs("object_matching"),
    log:
        "<logs>/plot_object_matching.log",
    benchmark:
        "<benchmarks>/plot_object_matching.tsv"
    conda:
        "../envs/figures.yaml"
    params:
        code=code("plot_object_matching"),
        style=figure_style(),
        paradigms=paradigms(),
    script:
        "../workflow_scripts/plot_object_matching.py"


rule plot_convergence:
    input:
        trials="<results>/aggregate/trials.parquet",
        sensitivity=sensitivity_table(),
    output:
        figure_outputs("convergence"),
    log:
        "<logs>/plot_convergence.log",
    benchmark:
        "<benchmarks>/plot_convergence.tsv"
    conda:
        "../envs/figures.yaml"
    params:
        code=code("plot_convergence"),
        style=figure_style(),
    script:
        "../workflow_scripts/plot_convergence.py"


rule plot_layers:
    input:
        "<results>/aggregate/layer_scores.parquet",
    output:
        figure_outputs("layers"),
    log:
        "<logs>/plot_layers.log",
    benchmark:
        "<benchmarks>/plot_layers.tsv"
    conda:
        "../envs/figures.yaml"
    params:
        code=code("plot_layers"),
        style=figure_style(),
        models=described_models(),
        method=config["rsa"]["method"],
    script:
        "../workflow_scripts/plot_layers.py"


rule plot_object_map:
    input:
        scores="<results>/aggregate/layer_scores.parquet",
        objects="<results>/aggregate/object_map.tsv",
        plans=gwot_outputs("plan.safetensors"),
    output:
        figure_outputs("object_map"),
    log:
        "<logs>/plot_object_map.log",
    benchmark:
        "<benchmarks>/plot_object_map.tsv"
    conda:
        "../envs/figures.yaml"
    params:
        code=code("plot_object_map"),
        style=figure_style(),
        models=described_models(),
        pair=config["figures"]["transport_plans"],
        alignments=gwot_keys(),
    script:
        "../workflow_scripts/plot_object_map.py"


rule plot_model_map:
    input:
        similarity="<results>/aggregate/model_similarity.tsv",
        alignments="<results>/aggregate/gwot_map.parquet" if map_pairs() else [],
    output:
        figure_outputs("model_map"),
    log:
        "<logs>/plot_model_map.log",
    benchmark:
        "<benchmarks>/plot_model_map.tsv"
    conda:
        "../envs/figures.yaml"
    params:
        code=code("plot_model_map"),
        style=figure_style(),
        metric=config["rsa"]["metric"],
        paradigms=paradigms(),
    script:
        "../workflow_scripts/plot_model_map.py"


rule plot_paradigm_effects:
    input:
        "<results>/aggregate/paradigm_effects.tsv",
    output:
        figure_outputs("paradigm_effects"),
    log:
        "<logs>/plot_paradigm_effects.log",
    benchmark:
        "<benchmarks>/plot_paradigm_effects.tsv"
    conda:
        "../envs/figures.yaml"
    params:
        code=code("plot_paradigm_effects"),
        style=figure_style(),
        method=config["rsa"]["method"],
    script:
        "../workflow_scripts/plot_paradigm_effects.py"


rule tabulate_models:
    input:
        "<results>/aggregate/layer_scores.parquet",
    output:
        **table_outputs("models"),
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
