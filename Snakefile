from snakemake.utils import min_version

min_version("9.20")


configfile: "config/config.yaml"


include: "rules/common.smk"
include: "rules/outputs.smk"
include: "rules/inputs.smk"
include: "rules/fetch.smk"
include: "rules/embeddings.smk"
include: "rules/images.smk"
include: "rules/gwot.smk"
include: "rules/scores.smk"
include: "rules/naive_transform.smk"
include: "rules/convexity.smk"
include: "rules/aggregate.smk"
include: "rules/figures.smk"
include: "rules/report.smk"
include: "rules/names.smk"
include: "rules/submitted.smk"


rule all:
    default_target: True
    input:
        final_outputs(),
