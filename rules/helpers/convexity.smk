# Inputs, settings and needs of the convexity study's jobs.


def pair_needs(wildcards, attempt):
    """What a job over two layers and every judgement asks of the cluster."""
    return resources.layers(study.count_objects(), 2, attempt, matrices=30)


def transform_file(wildcards):
    """The transform behind a space; none for the original one."""
    return [] if wildcards.space == "original" else "<results>/naive_transform/{model}/{layer}.safetensors"


def convexity_settings():
    """What one layer's convexity depends on."""
    keys = ("categories", "n_neighbours", "metric", "pairs", "permutations", "sensitivity")
    return {key: config["convexity"][key] for key in keys}


def study_models(*fields):
    """What the convexity study's tables say of its models, with these fields of their rows."""
    rows = {model: {field: MODELS[model].get(field, "") for field in fields} for model in convexity_models()}
    return {model: described_models()[model] | row for model, row in rows.items()}


def finetuning_pair(wildcards):
    """A model of the convexity study and its fine-tuned version."""
    return [wildcards.model, config["convexity"]["finetuned"][wildcards.model]]


def classifier_models():
    """The models of the convexity study whose classifier is asked about the segments between members."""
    wanted = config["convexity"]["euclidean"] is not None
    return [model for model in convexity_models() if wanted and MODELS[model]["source"] in IMAGE_SOURCES]
