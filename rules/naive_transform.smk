# Affine transforms towards human choices, of the layers that config names.


include: "helpers/naive_transform.smk"


rule fit_naive_transform:
    input:
        model="<results>/embeddings/behaviour/{model}.safetensors",
        triplets="<results>/inputs/triplets.safetensors",
    output:
        transform="<results>/naive_transform/{model}/{layer}.safetensors",
        grid="<results>/naive_transform/{model}/{layer}.grid.tsv",
        scores="<results>/naive_transform/{model}/{layer}.scores.tsv",
    log:
        "<logs>/fit_naive_transform/{model}/{layer}.log",
    benchmark:
        "<benchmarks>/fit_naive_transform/{model}/{layer}.tsv"
    conda:
        "../envs/alignment.yaml"
    threads: threads_for_objects(2)
    resources:
        **needs(layer_needs, "mem_mb", "runtime"),
    params:
        code=code("fit_naive_transform"),
        settings=naive_settings(),
        regularisation=config["naive_transform"]["regularisation"],
        folds=config["naive_transform"]["folds"],
        statistics=config["statistics"],
        seed=config["seed"],
    script:
        "../workflow_scripts/fit_naive_transform.py"
