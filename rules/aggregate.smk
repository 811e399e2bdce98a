# One tidy table of everything that was measured, and what else figures and report draw.


rule aggregate_layer_scores:
    input:
        scores=[
            *expand("<results>/scores/{name}/{model}.tsv", name=MODEL_SCORES, model=MODELS),
            *expand("<results>/scores/finetuning/{model}.tsv", model=config["convexity"]["finetuned"]),
            *naive_outputs("naive_transform", "scores.tsv"),
            *gwot_outputs("scores.tsv"),
        ],
        convexity=convexity_tables(),
        euclidean=expand("<results>/convexity/euclidean/{model}.tsv", model=classifier_models()),
        noise_ceiling="<results>/scores/noise_ceiling.tsv",
    output:
        "<results>/aggregate/layer_scores.parquet",
    conda:
        "../envs/measures.yaml"
    params:
        study=config["study"],
        models=described_models(),
        n_neighbours=config["convexity"]["n_neighbours"],
    script:
        "../workflow_scripts/aggregate_layer_scores.py"


rule aggregate_objects:
    input:
        concepts="<results>/inputs/concepts.tsv",
        plans=gwot_outputs("plan.safetensors"),
    output:
        "<results>/aggregate/object_matches.parquet",
    conda:
        "../envs/measures.yaml"
    params:
        alignments=gwot_keys(),
        readouts=readout_layers(),
        partners=config["figures"]["partners"],
    script:
        "../workflow_scripts/aggregate_objects.py"


rule aggregate_trials:
    input:
        gwot_outputs("trials.parquet"),
    output:
        "<results>/aggregate/trials.parquet",
    conda:
        "../envs/measures.yaml"
    params:
        alignments=gwot_keys(),
        paradigms=paradigms(),
    script:
        "../workflow_scripts/aggregate_trials.py"


rule aggregate_maps:
    input:
        scores="<results>/aggregate/layer_scores.parquet",
        concepts="<results>/inputs/concepts.tsv",
        models=expand("<results>/embeddings/behaviour/{model}.safetensors", model=MODELS),
        humans=expand("<results>/inputs/humans/{human}.safetensors", human=mapped_humans()),
    output:
        rdms="<results>/aggregate/rdms.safetensors",
        similarity="<results>/aggregate/model_similarity.tsv",
        objects="<results>/aggregate/object_map.tsv",
    conda:
        "../envs/measures.yaml"
    params:
        models=described_models(),
        humans=mapped_humans(),
        metric=config["rsa"]["metric"],
        seed=config["seed"],
    script:
        "../workflow_scripts/aggregate_maps.py"


rule fit_paradigm_effects:
    input:
        "<results>/aggregate/layer_scores.parquet",
    output:
        "<results>/aggregate/paradigm_effects.tsv",
    conda:
        "../envs/measures.yaml"
    params:
        models=described_models(),
        confidence=config["statistics"]["confidence"],
    script:
        "../workflow_scripts/fit_paradigm_effects.py"
