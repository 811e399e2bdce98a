# Data in, everything in unique_id order out.


if config["world"] is not None:

    rule simulate_world:
        output:
            world_files(),
        log:
            "<logs>/simulate_world.log",
        benchmark:
            "<benchmarks>/simulate_world.tsv"
        conda:
            "../envs/measures.yaml"
        params:
            code=code("simulate_world"),
            world=config["world"],
            things=config["things"],
            seed=config["seed"],
        script:
            "../workflow_scripts/simulate_world.py"


rule build_concepts:
    input:
        objects=things_file("objects"),
        concepts=things_file("concepts"),
        categories=things_file("categories"),
        memberships=things_file("memberships"),
        memberships_order=things_file("memberships_order"),
    output:
        "<results>/inputs/concepts.tsv",
    log:
        "<logs>/build_concepts.log",
    benchmark:
        "<benchmarks>/build_concepts.tsv"
    conda:
        "../envs/measures.yaml"
    params:
        code=code("build_concepts"),
        exclusive_order=config["exclusive_order"],
    script:
        "../workflow_scripts/build_concepts.py"


rule build_triplets:
    input:
        concepts="<results>/inputs/concepts.tsv",
        triplets=things_file("triplets"),
        order=things_file("triplets_order"),
        repeated=things_file("repeated_triplets"),
        repeated_order=things_file("repeated_triplets_order"),
    output:
        "<results>/inputs/triplets.safetensors",
    log:
        "<logs>/build_triplets.log",
    benchmark:
        "<benchmarks>/build_triplets.tsv"
    conda:
        "../envs/measures.yaml"
    params:
        code=code("build_triplets"),
    script:
        "../workflow_scripts/build_triplets.py"


rule build_human:
    input:
        concepts="<results>/inputs/concepts.tsv",
        files=lambda wildcards: human_files(HUMANS[wildcards.human]),
    output:
        "<results>/inputs/humans/{human}.safetensors",
    log:
        "<logs>/build_human/{human}.log",
    benchmark:
        "<benchmarks>/build_human/{human}.tsv"
    conda:
        "../envs/measures.yaml"
    params:
        code=code("build_human"),
        row=lambda wildcards: HUMANS[wildcards.human],
    script:
        "../workflow_scripts/build_human.py"
