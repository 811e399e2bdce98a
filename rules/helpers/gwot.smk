# Settings, inputs and needs of one alignment.


def alignment_needs(wildcards, attempt):
    """What one alignment asks of the cluster."""
    return resources.alignment(study.count_objects(), align_settings(wildcards)["trials"], attempt)


def map_needs(wildcards, attempt):
    """What aligning two systems with each other asks of the cluster."""
    return resources.alignment(study.count_objects(), config["gwot"]["trials"], attempt)


def gwot_settings(human, model):
    """The settings of one pair: the defaults, then every override that names it."""
    shared = {
        key: value
        for key, value in config["gwot"].items()
        if key not in ("layers", "humans", "models", "overrides", "top_k", "threads", "robustness", "map")
    }
    for override in config["gwot"]["overrides"]:
        chosen = select_models(override.get("models", "all"), MODELS, "gwot.overrides")
        if human in override.get("humans", HUMANS) and model in chosen:
            shared |= {key: value for key, value in override.items() if key not in ("humans", "models")}
    return shared


def align_settings(wildcards):
    """The settings of one alignment of a model with a human."""
    return gwot_settings(wildcards.human, wildcards.model)


def map_settings(wildcards):
    """The settings of one pair of the map of systems."""
    return gwot_settings(wildcards.first, wildcards.second) | {"trials": config["gwot"]["map"]["trials"]}


def system_file(name):
    """An input function: the representation of one system of a pair."""

    def path(wildcards):
        system = getattr(wildcards, name)
        stage = "inputs/humans" if system in HUMANS else "embeddings/behaviour"
        return f"<results>/{stage}/{system}.safetensors"

    return path


def system_layers(wildcards):
    """The layer that stands for each system of a pair; none for a human."""
    pair = (wildcards.first, wildcards.second)
    return [None if system in HUMANS else MODELS[system]["readout"] for system in pair]
