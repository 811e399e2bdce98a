# Cheap scores: one job per model, one row per layer.
# Those of every model, one rule score_<name> each; all of them go into the tidy table.
MODEL_SCORES = (
    "odd_one_out",
    "rsa",
    "similarity",
    "clustering",
)


rule score_noise_ceiling:
    input:
        "<results>/inputs/triplets.safetensors",
    output:
        "<results>/scores/noise_ceiling.tsv",
    conda:
        "../envs/measures.yaml"
    params:
        published=config["odd_one_out"]["noise_ceiling"],
    script:
        "../workflow_scripts/score_noise_ceiling.py"


rule score_odd_one_out:
    input:
        model="<results>/embeddings/behaviour/{model}.safetensors",
        triplets="<results>/inputs/triplets.safetensors",
    output:
        "<results>/scores/odd_one_out/{model}.tsv",
    conda:
        "../envs/measures.yaml"
    resources:
        **needs(model_needs, "mem_mb", "runtime"),
    params:
        similarity=config["odd_one_out"]["similarity"],
        centre=config["odd_one_out"]["centre"],
        statistics=config["statistics"],
        seed=config["seed"],
    script:
        "../workflow_scripts/score_odd_one_out.py"


rule score_rsa:
    input:
        model="<results>/embeddings/behaviour/{model}.safetensors",
        humans=expand("<results>/inputs/humans/{human}.safetensors", human=selected_humans("rsa")),
    output:
        "<results>/scores/rsa/{model}.tsv",
    conda:
        "../envs/measures.yaml"
    resources:
        **needs(model_needs, "mem_mb", "runtime"),
    params:
        metric=config["rsa"]["metric"],
        method=config["rsa"]["method"],
        statistics=config["statistics"],
        seed=config["seed"],
    script:
        "../workflow_scripts/score_rsa.py"


rule score_similarity:
    input:
        model="<results>/embeddings/behaviour/{model}.safetensors",
        humans=expand("<results>/inputs/humans/{human}.safetensors", human=selected_humans("similarity")),
    output:
        "<results>/scores/similarity/{model}.tsv",
    conda:
        "../envs/measures.yaml"
    resources:
        **needs(model_needs, "mem_mb", "runtime"),
    params:
        n_neighbours=config["similarity"]["n_neighbours"],
        metric=config["similarity"]["metric"],
        statistics=config["statistics"],
        seed=config["seed"],
    script:
        "../workflow_scripts/score_similarity.py"


rule score_clustering:
    input:
        model="<results>/embeddings/behaviour/{model}.safetensors",
        concepts="<results>/inputs/concepts.tsv",
        humans=expand("<results>/inputs/humans/{human}.safetensors", human=selected_humans("clustering")),
    output:
        "<results>/scores/clustering/{model}.tsv",
    conda:
        "../envs/measures.yaml"
    resources:
        **needs(model_needs, "mem_mb", "runtime"),
    params:
        n_init=config["clustering"]["n_init"],
        statistics=config["statistics"],
        seed=config["seed"],
    script:
        "../workflow_scripts/score_clustering.py"
