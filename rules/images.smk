# Images in, embeddings of networks out.


include: "helpers/images.smk"


if config["world"] is not None and config["images"] is not None:

    rule render_images:
        input:
            objects=things_file("objects"),
        output:
            directory(image_folder()),
        log:
            "<logs>/render_images.log",
        benchmark:
            "<benchmarks>/render_images.tsv"
        conda:
            "../envs/embeddings.yaml"
        params:
            code=code("render_images"),
            world=config["world"],
            per_object=config["images"]["per_object"],
            seed=config["seed"],
        script:
            "../workflow_scripts/render_images.py"

    rule train_network:
        input:
            images=image_folder(),
            start=network_to_start_from,
        output:
            directory(f"{config['things_dir']}/networks/{{network}}"),
        log:
            "<logs>/train_network/{network}.log",
        benchmark:
            "<benchmarks>/train_network/{network}.tsv"
        conda:
            "../envs/embeddings.yaml"
        params:
            code=code("train_network"),
            world=config["world"],
            seed=config["seed"],
        script:
            "../workflow_scripts/train_network.py"


rule index_images:
    input:
        concepts="<results>/inputs/concepts.tsv",
        images=made_images(),
    output:
        "<results>/inputs/images/{image_set}.tsv",
    log:
        "<logs>/index_images/{image_set}.log",
    benchmark:
        "<benchmarks>/index_images/{image_set}.tsv"
    conda:
        "../envs/embeddings.yaml"
    params:
        code=code("index_images"),
        folder=lambda wildcards: image_folder(),
        references=lambda wildcards: reference_folder(),
        images=config["images"],
        seed=config["seed"],
    script:
        "../workflow_scripts/index_images.py"


rule extract_embeddings:
    input:
        images="<results>/inputs/images/{image_set}.tsv",
        networks=trained_networks,
        weights=fetched_weights,
    output:
        "<results>/embeddings/{image_set}/{model}.safetensors",
    log:
        "<logs>/extract_embeddings/{image_set}/{model}.log",
    benchmark:
        "<benchmarks>/extract_embeddings/{image_set}/{model}.tsv"
    wildcard_constraints:
        model=names_of(*IMAGE_SOURCES),
    conda:
        "../envs/embeddings.yaml"
    threads: config["embeddings"]["threads"]
    resources:
        **needs(extraction_needs, "mem_mb", "runtime", "gpu_mb"),
    params:
        code=code("extract_embeddings"),
        row=row_of("source", "identifier", "weights", "revision", "preprocessing", "layers", "pooling"),
        settings=config["embeddings"],
        average_objects=lambda wildcards: wildcards.image_set == "all" and config["images"]["average_all"],
    script:
        "../workflow_scripts/extract_embeddings.py"


rule extract_classifier:
    input:
        networks=trained_networks,
        weights=fetched_weights,
    output:
        "<results>/embeddings/{image_set}/{model}.head.safetensors",
    log:
        "<logs>/extract_classifier/{image_set}/{model}.log",
    benchmark:
        "<benchmarks>/extract_classifier/{image_set}/{model}.tsv"
    wildcard_constraints:
        model=names_of(*IMAGE_SOURCES),
    conda:
        "../envs/embeddings.yaml"
    resources:
        **needs(extraction_needs, "mem_mb", "runtime"),
    params:
        code=code("extract_classifier"),
        row=row_of("source", "identifier", "weights", "revision", "preprocessing", "layers", "pooling"),
    script:
        "../workflow_scripts/extract_classifier.py"


rule extract_classifier_features:
    input:
        images="<results>/inputs/images/{image_set}.tsv",
        networks=trained_networks,
        weights=fetched_weights,
        model="<results>/embeddings/{image_set}/{model}.safetensors",
        head="<results>/embeddings/{image_set}/{model}.head.safetensors",
    output:
        "<results>/embeddings/{image_set}/{model}.head_input.safetensors",
    log:
        "<logs>/extract_classifier_features/{image_set}/{model}.log",
    benchmark:
        "<benchmarks>/extract_classifier_features/{image_set}/{model}.tsv"
    wildcard_constraints:
        model=names_of(*IMAGE_SOURCES),
    conda:
        "../envs/embeddings.yaml"
    threads: config["embeddings"]["threads"]
    resources:
        **needs(extraction_needs, "mem_mb", "runtime", "gpu_mb"),
    params:
        code=code("extract_classifier_features"),
        row=row_of("source", "identifier", "weights", "revision", "preprocessing", "layers", "pooling"),
        settings=config["embeddings"],
        average_objects=lambda wildcards: wildcards.image_set == "all" and config["images"]["average_all"],
    script:
        "../workflow_scripts/extract_classifier_features.py"
