# What the networks of the study are made from, and what reading them asks of the cluster.


def reference_folder():
    """The folder of judged images that are not among the others; none where the config has null."""
    images = config["images"] or {"references": None}
    return images["references"] and f"{config['things_dir']}/{images['references']}"


def network_to_start_from(wildcards):
    """The network whose training another one continues."""
    first = {"self_sup_sup": "self_supervised"}.get(wildcards.network)
    return f"{config['things_dir']}/networks/{first}" if first else []


def trained_networks(wildcards):
    """The folder of a network that the demo trains itself, where the row names one."""
    row, root = MODELS[wildcards.model], Path(config["things_dir"], "networks")
    paths = [Path(row[field]) for field in ("identifier", "weights") if field in row]
    return [str(root / path.relative_to(root).parts[0]) for path in paths if path.is_relative_to(root)]


def fetched_weights(wildcards):
    """The record of a network's weights, fetched where there is internet; nothing where they lie here already."""
    row = MODELS[wildcards.model]
    weights = row.get("weights", "")
    untrained = weights.startswith("random:") and row["source"] in ("torchvision", "timm")
    local = Path(row["identifier"]).is_dir() or (row["source"] == "checkpoint" and "://" not in weights)
    if local or untrained or trained_networks(wildcards):
        return []
    return "<results>/inputs/weights/{model}.json"


def extraction_needs(wildcards, attempt):
    """What reading the layers of a network asks of the cluster."""
    row, images = MODELS[wildcards.model], study.count_images(wildcards.image_set)
    return resources.extraction(resources.parameters(row["identifier"]), images, len(row["layers"]), attempt)
