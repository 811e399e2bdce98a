# One tidy table of everything that was measured.


rule aggregate_layer_scores:
    input:
        rsa=expand("<results>/scores/rsa/{model}.tsv", model=MODELS),
        odd_one_out=expand("<results>/scores/odd_one_out/{model}.tsv", model=MODELS),
        similarity=expand("<results>/scores/similarity/{model}.tsv", model=MODELS),
        clustering=expand("<results>/scores/clustering/{model}.tsv", model=MODELS),
        naive=naive_outputs("naive_transform", "scores.tsv"),
        convexity=convexity_tables(),
        finetuning=expand("<results>/scores/finetuning/{model}.tsv", model=config["convexity"]["finetuned"]),
        gwot=gwot_outputs("scores.tsv"),
        noise_ceiling="<results>/scores/noise_ceiling.tsv",
    output:
        "<results>/aggregate/layer_scores.parquet",
    log:
        "<logs>/aggregate_layer_scores.log",
    benchmark:
        "<benchmarks>/aggregate_layer_scores.tsv"
    conda:
        "../envs/measures.yaml"
    params:
        code=code("aggregate_layer_scores"),
        study=config["study"],
        models=described_models(),
        n_neighbours=config["convexity"]["n_neighbours"],
    script:
        "../workflow_scripts/aggregate_layer_scores.py"
