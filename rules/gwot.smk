# Gromov-Wasserstein alignment of every selected layer with every selected human representation, and what its plan says.


include: "helpers/gwot.smk"


rule align_gwot:
    input:
        human="<results>/inputs/humans/{human}.safetensors",
        model="<results>/embeddings/behaviour/{model}.safetensors",
    output:
        plan="<results>/gwot/{human}/{model}/{layer}/plan.safetensors",
        trials="<results>/gwot/{human}/{model}/{layer}/trials.parquet",
    log:
        "<logs>/align_gwot/{human}/{model}/{layer}.log",
    benchmark:
        "<benchmarks>/align_gwot/{human}/{model}/{layer}.tsv"
    conda:
        "../envs/alignment.yaml"
    threads: config["gwot"]["threads"]
    resources:
        **needs(alignment_needs, "mem_mb", "runtime", "gpu_mb"),
    params:
        code=code("align_gwot"),
        settings=align_settings,
        seed=config["seed"],
    script:
        "../workflow_scripts/align_gwot.py"


rule score_gwot:
    input:
        plan="<results>/gwot/{human}/{model}/{layer}/plan.safetensors",
        concepts="<results>/inputs/concepts.tsv",
    output:
        scores="<results>/gwot/{human}/{model}/{layer}/scores.tsv",
        objects="<results>/gwot/{human}/{model}/{layer}/objects.parquet",
        categories="<results>/gwot/{human}/{model}/{layer}/categories.parquet",
    log:
        "<logs>/score_gwot/{human}/{model}/{layer}.log",
    benchmark:
        "<benchmarks>/score_gwot/{human}/{model}/{layer}.tsv"
    conda:
        "../envs/measures.yaml"
    params:
        code=code("score_gwot"),
        top_k=config["gwot"]["top_k"],
        statistics=config["statistics"],
        seed=config["seed"],
    script:
        "../workflow_scripts/score_gwot.py"


rule simulate_gwot_robustness:
    input:
        human="<results>/inputs/humans/{human}.safetensors",
        model="<results>/embeddings/behaviour/{model}.safetensors",
        plan="<results>/gwot/{human}/{model}/{layer}/plan.safetensors",
        concepts="<results>/inputs/concepts.tsv",
    output:
        robustness="<results>/gwot/{human}/{model}/{layer}/robustness.tsv",
        sensitivity="<results>/gwot/{human}/{model}/{layer}/sensitivity.parquet",
    log:
        "<logs>/simulate_gwot_robustness/{human}/{model}/{layer}.log",
    benchmark:
        "<benchmarks>/simulate_gwot_robustness/{human}/{model}/{layer}.tsv"
    conda:
        "../envs/alignment.yaml"
    threads: config["gwot"]["threads"]
    resources:
        **needs(alignment_needs, "mem_mb", "runtime", "gpu_mb"),
    params:
        code=code("simulate_gwot_robustness"),
        settings=align_settings,
        size=config["gwot"]["robustness"],
        top_k=config["gwot"]["top_k"],
        seed=config["seed"],
    script:
        "../workflow_scripts/simulate_gwot_robustness.py"


rule aggregate_gwot_robustness:
    input:
        robustness=gwot_outputs("robustness.tsv"),
        sensitivity=gwot_outputs("sensitivity.parquet"),
    output:
        robustness=GWOT_ROBUSTNESS[0],
        sensitivity=GWOT_ROBUSTNESS[1],
    log:
        "<logs>/aggregate_gwot_robustness.log",
    benchmark:
        "<benchmarks>/aggregate_gwot_robustness.tsv"
    conda:
        "../envs/measures.yaml"
    params:
        code=code("aggregate_gwot_robustness"),
    script:
        "../workflow_scripts/aggregate_gwot_robustness.py"


rule align_systems:
    input:
        first=system_file("first"),
        second=system_file("second"),
        concepts="<results>/inputs/concepts.tsv",
    output:
        "<results>/gwot_map/{first}/{second}.tsv",
    log:
        "<logs>/align_systems/{first}/{second}.log",
    benchmark:
        "<benchmarks>/align_systems/{first}/{second}.tsv"
    conda:
        "../envs/alignment.yaml"
    threads: config["gwot"]["threads"]
    resources:
        **needs(map_needs, "mem_mb", "runtime", "gpu_mb"),
    params:
        code=code("align_systems"),
        settings=map_settings,
        layers=system_layers,
        top_k=config["gwot"]["top_k"],
        seed=config["seed"],
    script:
        "../workflow_scripts/align_systems.py"


rule aggregate_gwot_map:
    input:
        [f"<results>/gwot_map/{first}/{second}.tsv" for first, second in map_pairs()],
    output:
        "<results>/aggregate/gwot_map.parquet",
    log:
        "<logs>/aggregate_gwot_map.log",
    benchmark:
        "<benchmarks>/aggregate_gwot_map.tsv"
    conda:
        "../envs/measures.yaml"
    params:
        code=code("aggregate_gwot_map"),
    script:
        "../workflow_scripts/aggregate_gwot_map.py"
