# Gromov-Wasserstein alignment of every selected layer with every selected human representation, and what its plan says.


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
        settings=gwot_settings,
        seed=config["seed"],
    script:
        "../workflow_scripts/align_gwot.py"


rule score_gwot:
    input:
        plan="<results>/gwot/{human}/{model}/{layer}/plan.safetensors",
        concepts="<results>/inputs/concepts.tsv",
    output:
        "<results>/gwot/{human}/{model}/{layer}/scores.tsv",
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
        sensitivity="<results>/gwot/{human}/{model}/{layer}/sensitivity.tsv",
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
        settings=gwot_settings,
        size=config["gwot"]["robustness"],
        seed=config["seed"],
    script:
        "../workflow_scripts/simulate_gwot_robustness.py"
