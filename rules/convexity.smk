# The convexity study: convexity of every layer before and after the transform, and its correlation with other measures.


include: "helpers/convexity.smk"


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
    conda:
        "../envs/measures.yaml"
    resources:
        **needs(layer_needs, "mem_mb", "runtime"),
    params:
        settings=convexity_settings(),
        statistics=config["statistics"],
        seed=config["seed"],
    script:
        "../workflow_scripts/score_convexity.py"


rule score_euclidean_convexity:
    input:
        head=f"<results>/embeddings/{config['convexity']['image_set']}/{{model}}.head.safetensors",
        features=f"<results>/embeddings/{config['convexity']['image_set']}/{{model}}.head_input.safetensors",
        concepts="<results>/inputs/concepts.tsv",
    output:
        "<results>/convexity/euclidean/{model}.tsv",
    conda:
        "../envs/measures.yaml"
    resources:
        **needs(pair_needs, "mem_mb", "runtime"),
    params:
        settings=config["convexity"]["euclidean"],
        statistics=config["statistics"],
        seed=config["seed"],
    script:
        "../workflow_scripts/score_euclidean_convexity.py"


rule score_finetuning:
    input:
        behaviour=lambda wildcards: expand(
            "<results>/embeddings/behaviour/{name}.safetensors", name=finetuning_pair(wildcards)
        ),
        points=lambda wildcards: expand(
            f"<results>/embeddings/{config['convexity']['image_set']}/{{name}}.safetensors",
            name=finetuning_pair(wildcards),
        ),
        triplets="<results>/inputs/triplets.safetensors",
        concepts="<results>/inputs/concepts.tsv",
    output:
        "<results>/scores/finetuning/{model}.tsv",
    wildcard_constraints:
        model=alternatives(config["convexity"]["finetuned"]),
    conda:
        "../envs/measures.yaml"
    resources:
        **needs(pair_needs, "mem_mb", "runtime"),
    params:
        layers=lambda wildcards: [MODELS[name]["layers"][-1] for name in finetuning_pair(wildcards)],
        settings=convexity_settings(),
        statistics=config["statistics"],
        seed=config["seed"],
    script:
        "../workflow_scripts/score_finetuning.py"


rule aggregate_correlations:
    input:
        "<results>/aggregate/layer_scores.parquet",
    output:
        joined="<results>/aggregate/joined_layers.tsv",
        columns="<results>/aggregate/joined_columns.tsv",
        groups="<results>/aggregate/convexity_correlations.tsv",
        depths="<results>/aggregate/convexity_depth_correlations.tsv",
        matrix="<results>/aggregate/correlation_matrix.tsv",
        matching="<results>/aggregate/matching_predictors.tsv",
    conda:
        "../envs/measures.yaml"
    params:
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
        matching="<results>/aggregate/matching_predictors.tsv",
        published=config["convexity"]["published"] or [],
    output:
        **{
            f"{name}_{ending}": f"<results>/tables/convexity_{name}.{ending}"
            for name in CONVEXITY_TABLES
            for ending in ("tsv", "tex")
        },
    conda:
        "../envs/measures.yaml"
    params:
        models=study_models("identifier", "revision"),
        finetuned=config["convexity"]["finetuned"],
        statistics=config["statistics"],
        seed=config["seed"],
    script:
        "../workflow_scripts/tabulate_convexity.py"


rule plot_convexity:
    input:
        scores="<results>/aggregate/layer_scores.parquet",
        joined="<results>/aggregate/joined_layers.tsv",
        columns="<results>/aggregate/joined_columns.tsv",
        groups="<results>/aggregate/convexity_correlations.tsv",
        depths="<results>/aggregate/convexity_depth_correlations.tsv",
        matrix="<results>/aggregate/correlation_matrix.tsv",
        matching="<results>/aggregate/matching_predictors.tsv",
        convexity=convexity_tables(),
    output:
        **figure_outputs("plot_convexity"),
    conda:
        "../envs/figures.yaml"
    params:
        style=figure_style(),
        models=study_models(),
        finetuned=config["convexity"]["finetuned"],
    script:
        "../workflow_scripts/plot_convexity.py"
