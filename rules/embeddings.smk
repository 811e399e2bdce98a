# Embeddings: one file a model, one tensor a layer, rows in unique_id order.


rule extract_precomputed:
    input:
        concepts="<results>/inputs/concepts.tsv",
        files=lambda wildcards: model_files(MODELS[wildcards.model]),
    output:
        "<results>/embeddings/{image_set}/{model}.safetensors",
    log:
        "<logs>/extract_precomputed/{image_set}/{model}.log",
    benchmark:
        "<benchmarks>/extract_precomputed/{image_set}/{model}.tsv"
    wildcard_constraints:
        model=names_of("precomputed", "random"),
    conda:
        "../envs/measures.yaml"
    resources:
        **needs(model_needs, "mem_mb", "runtime"),
    params:
        code=code("extract_precomputed"),
        row=row_of("source", "identifier", "order", "layers"),
        seed=config["seed"],
    script:
        "../workflow_scripts/extract_precomputed.py"
