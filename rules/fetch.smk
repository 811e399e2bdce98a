# What comes from the internet: always on the machine where snakemake was started, never on a compute node. What lies in
# things_dir already is used in place: its rule does not run.


include: "helpers/fetch.smk"


localrules:
    fetch_networks,
    fetch_weights,


rule fetch_networks:
    input:
        [
            f"<results>/inputs/weights/{name}.json"
            for name, row in MODELS.items()
            if row["source"] in IMAGE_SOURCES
        ],


rule fetch_weights:
    output:
        "<results>/inputs/weights/{model}.json",
    log:
        "<logs>/fetch_weights/{model}.log",
    benchmark:
        "<benchmarks>/fetch_weights/{model}.tsv"
    wildcard_constraints:
        model=names_of(*IMAGE_SOURCES),
    retries: 1
    conda:
        "../envs/embeddings.yaml"
    params:
        row=row_of("source", "identifier", "weights", "revision", "preprocessing"),
    script:
        "../workflow_scripts/fetch_weights.py"


if config["downloads"] is not None:

    localrules:
        fetch_things,
        fetch_file,
        fetch_archive,
        fetch_member,
        build_file_order,

    rule fetch_things:
        input:
            [f"{config['things_dir']}/{name}" for name in DOWNLOADS],

    rule fetch_file:
        output:
            f"{config['things_dir']}/{{file}}",
        log:
            "<logs>/fetch_file/{file}.log",
        benchmark:
            "<benchmarks>/fetch_file/{file}.tsv"
        wildcard_constraints:
            file=downloads_of("file"),
        retries: 1
        conda:
            "../envs/embeddings.yaml"
        params:
            code=code("fetch_file"),
            row=lambda wildcards: DOWNLOADS[wildcards.file],
        script:
            "../workflow_scripts/fetch_file.py"

    rule fetch_archive:
        output:
            directory(f"{config['things_dir']}/{{folder}}"),
        log:
            "<logs>/fetch_archive/{folder}.log",
        benchmark:
            "<benchmarks>/fetch_archive/{folder}.tsv"
        wildcard_constraints:
            folder=downloads_of("zip", "password_zip"),
        conda:
            "../envs/embeddings.yaml"
        threads: 4
        params:
            code=code("fetch_archive"),
            row=lambda wildcards: DOWNLOADS[wildcards.folder],
        script:
            "../workflow_scripts/fetch_archive.py"

    rule fetch_member:
        input:
            lambda wildcards: ancient(source_of(wildcards.file)),
        output:
            f"{config['things_dir']}/{{file}}",
        log:
            "<logs>/fetch_member/{file}.log",
        benchmark:
            "<benchmarks>/fetch_member/{file}.tsv"
        wildcard_constraints:
            file=downloads_of("member"),
        conda:
            "../envs/embeddings.yaml"
        params:
            code=code("fetch_member"),
            row=lambda wildcards: DOWNLOADS[wildcards.file],
        script:
            "../workflow_scripts/fetch_member.py"

    rule build_file_order:
        input:
            lambda wildcards: ancient(source_of(wildcards.file)),
        output:
            f"{config['things_dir']}/{{file}}",
        log:
            "<logs>/build_file_order/{file}.log",
        benchmark:
            "<benchmarks>/build_file_order/{file}.tsv"
        wildcard_constraints:
            file=downloads_of("file_order"),
        conda:
            "../envs/measures.yaml"
        params:
            code=code("build_file_order"),
        script:
            "../workflow_scripts/build_file_order.py"
