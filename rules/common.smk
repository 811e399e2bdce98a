# Reads and checks config and sheets; every helper function of the rules. Paid again in every job: no torch here.
import csv
import re
import sys
from pathlib import Path

import yaml
from snakemake.exceptions import WorkflowError

BASE = Path(workflow.basedir)
SCRIPTS = BASE / "workflow_scripts"
sys.path.insert(0, str(SCRIPTS))

from repalign.errors import InputError
from repalign.provenance import code_digest, files_digest
from repalign.sheets import read_humans, read_models, require_files, resolve_layer, select
from repalign.validation import check


def load_study():
    """The checked model and human sheets; stops with one sentence where config or sheets are wrong."""
    schemas = {
        name: yaml.safe_load((BASE / f"config/schemas/{name}.schema.yaml").read_text())
        for name in ("config", "models", "humans")
    }
    try:
        check(config, schemas["config"], "The config")
        # Snakemake merges overlays key by key: null takes a pair of the default away.
        pairs = config["convexity"]["finetuned"]
        config["convexity"]["finetuned"] = {base: tuned for base, tuned in pairs.items() if tuned is not None}
        directories = {"things_dir": config["things_dir"]}
        models = read_models(config["models"], schemas["models"], directories)
        humans = read_humans(config["humans"], schemas["humans"], directories)
        require_files(named_files(models, humans), made=set(world_files()))
        for stage in ("gwot", "rsa", "similarity", "clustering"):
            select(config[stage]["humans"], humans, f"The config, {stage}.humans", "human")
        check_convexity_study(models)
        if config["images"] is None and (
            image_models := [n for n, r in models.items() if r["source"] in IMAGE_SOURCES]
        ):
            raise InputError(
                f"{config['models']}: {image_models[0]} reads images, but the config has images: null; name their folder."
            )
        for number, override in enumerate(config["gwot"]["overrides"]):
            source = f"The config, gwot.overrides.{number}"
            select(override.get("humans", "all"), humans, f"{source}.humans", "human")
            select(override.get("models", "all"), models, f"{source}.models", "model")
        check_figures()
        if (pair := config["figures"]["transport_plans"]) is not None:
            select(pair[:1], humans, "The config, figures.transport_plans", "human")
            select(pair[1:], models, "The config, figures.transport_plans", "model")
    except InputError as error:
        raise WorkflowError(str(error)) from None
    return models, humans


def check_figures():
    """Refuse a size that is not among the sizes."""
    figures = config["figures"]
    if figures["size"] not in figures["sizes"]:
        raise InputError(
            f"The config, figures.size: '{figures['size']}' is not among figures.sizes; write one of "
            f"{', '.join(figures['sizes'])}."
        )


def check_convexity_study(models):
    """Refuse models and layers of the convexity study that the sheet does not have."""
    select(config["convexity"]["models"], models, "The config, convexity.models", "model")
    for pair in config["convexity"]["finetuned"].items():
        select(pair, models, "The config, convexity.finetuned", "model")
    for alias in config["naive_transform"]["layers"]:
        if not any(resolve_layer(alias, row["layers"]) for row in models.values()):
            raise InputError(
                f"The config, naive_transform.layers: no model has the layer '{alias}'; write first, middle, last or a "
                "layer of the sheet."
            )


def things_file(key):
    """Path of a file of the THINGS data, or nothing where the config has null."""
    name = config["things"].get(key)
    return [] if name is None else f"{config['things_dir']}/{name}"


def named_files(models, humans):
    """Every file that config and sheets name, with where it was named."""
    for key in config["things"]:
        if path := things_file(key):
            yield f"The config, things.{key}", path
    for name, row in humans.items():
        for field in ("path", "order"):
            if field in row:
                yield f"{config['humans']}, human {name}, field {field}", row[field]
    for name, row in models.items():
        for path in model_files(row):
            yield f"{config['models']}, model {name}", path


def model_files(row):
    """The files that a model's row names."""
    return [
        row[field] for field in ("identifier", "order") if field in row and row["source"] == "precomputed"
    ]


IMAGE_SOURCES = ("torchvision", "timm", "open_clip", "transformers", "checkpoint")


def image_folder():
    """The folder of images, one folder an object inside; empty where the study has none."""
    return "" if config["images"] is None else f"{config['things_dir']}/{config['images']['folder']}"


def rendered_images():
    """The images of a simulated world; nothing where the images are real and lie in place."""
    return [] if config["world"] is None or config["images"] is None else image_folder()


def read_downloads():
    """What can be fetched into things_dir: rows of the downloads sheet by path."""
    if config["downloads"] is None:
        return {}
    with open(config["downloads"], encoding="utf-8") as file:
        rows = csv.DictReader((line for line in file if not line.startswith("#")), delimiter="\t")
        return {row["path"]: row for row in rows}


def downloads_of(*kinds):
    """Paths of the downloads of some kinds, as a regular expression."""
    return alternatives(path for path, row in DOWNLOADS.items() if row["kind"] in kinds)


def network_to_start_from(wildcards):
    """The network whose training another one continues."""
    first = {"self_sup_sup": "self_supervised"}.get(wildcards.network)
    return f"{config['things_dir']}/networks/{first}" if first else []


def trained_networks(wildcards):
    """The folder of a network that the demo trains itself, where the row names one."""
    row, root = MODELS[wildcards.model], Path(config["things_dir"], "networks")
    paths = [Path(row[field]) for field in ("identifier", "weights") if field in row]
    return [str(root / path.relative_to(root).parts[0]) for path in paths if path.is_relative_to(root)]


def world_files():
    """Every file of the simulated world; none where the data is real."""
    if config["world"] is None:
        return []
    data = [things_file(key) for key in config["things"] if things_file(key)]
    models = [f"{model}.npy" for model in config["world"]["models"]]
    models += [f"{network}.npz" for network in config["world"]["networks"]]
    features = [f"{config['things_dir']}/models/{name}" for name in models]
    return sorted({*data, *features, f"{config['things_dir']}/human/people.npy"})


MODELS, HUMANS = load_study()
DOWNLOADS = read_downloads()
STUDY = f"results/{config['study']}"


pathvars:
    results=STUDY,
    logs=f"{STUDY}/logs",
    benchmarks=f"{STUDY}/benchmarks",


def names_of(*sources):
    """Names of the models of some sources, as a regular expression."""
    return alternatives(name for name, row in MODELS.items() if row["source"] in sources)


def alternatives(names):
    """A regular expression that matches exactly these names."""
    return "|".join(re.escape(name) for name in names) or "(?!)"


wildcard_constraints:
    model=alternatives(MODELS),
    human=alternatives(HUMANS),
    layer=alternatives({layer for row in MODELS.values() for layer in row["layers"]}),
    image_set=alternatives(config["image_sets"]),
    space="original|naive",


def code(rule_name):
    """Digest of the code behind a rule: it reruns when the code it runs changes, and not for comments."""
    return code_digest(SCRIPTS / f"{rule_name}.py")


def row_of(*fields):
    """A params function: the fields of this model's row that are set, so that only its jobs follow the row."""
    return lambda wildcards: {
        field: MODELS[wildcards.model][field] for field in fields if field in MODELS[wildcards.model]
    }


def precomputed_files(wildcards):
    """The features of a model and the file that names their rows."""
    return model_files(MODELS[wildcards.model])


def human_row(wildcards):
    """The fields of this human's row."""
    return HUMANS[wildcards.human]


def human_files(wildcards):
    """The representation of a human and the file that names its rows."""
    return [HUMANS[wildcards.human][field] for field in ("path", "order") if field in HUMANS[wildcards.human]]


def selected_humans(stage):
    """The humans that a stage compares with."""
    return select(config[stage]["humans"], HUMANS, f"{stage}.humans", "human")


def gwot_layers(model):
    """The layers of a model that are aligned."""
    row = MODELS[model]
    return row["layers"] if config["gwot"]["layers"] == "all" else [row["readout"]]


def gwot_settings(wildcards):
    """The settings of one pair: the defaults, then every override that names it."""
    shared = {
        key: value
        for key, value in config["gwot"].items()
        if key not in ("layers", "humans", "overrides", "top_k", "threads", "robustness")
    }
    for override in config["gwot"]["overrides"]:
        if wildcards.human in override.get("humans", HUMANS) and wildcards.model in override.get(
            "models", MODELS
        ):
            shared |= {key: value for key, value in override.items() if key not in ("humans", "models")}
    return shared


def gwot_keys():
    """(human, model, layer) of every alignment of the study."""
    return [
        (human, model, layer)
        for human in selected_humans("gwot")
        for model in MODELS
        for layer in gwot_layers(model)
    ]


def gwot_outputs(name):
    """One file of every alignment of the study, in the order of gwot_keys()."""
    return [f"<results>/gwot/{human}/{model}/{layer}/{name}" for human, model, layer in gwot_keys()]


def convexity_models():
    """The models of the convexity study."""
    return select(config["convexity"]["models"], MODELS, "convexity.models", "model")


def transformed_layers(model):
    """The layers of a model that are transformed, in their order."""
    layers = MODELS[model]["layers"]
    chosen = {resolve_layer(name, layers) for name in config["naive_transform"]["layers"]}
    return [layer for layer in layers if layer in chosen]


def convexity_tables():
    """Convexity of every layer of the study, in the original space and after the transform."""
    original = [
        f"<results>/convexity/original/{model}/{layer}.tsv"
        for model in convexity_models()
        for layer in MODELS[model]["layers"]
    ]
    return original + naive_outputs("convexity/naive", "tsv")


def naive_outputs(stage, ending):
    """One file of every transformed layer of the study."""
    return [
        f"<results>/{stage}/{model}/{layer}.{ending}"
        for model in convexity_models()
        for layer in transformed_layers(model)
    ]


def transform_file(wildcards):
    """The transform behind a space; none for the original one."""
    return [] if wildcards.space == "original" else "<results>/naive_transform/{model}/{layer}.safetensors"


def naive_settings():
    """The options of the transform that its variant has."""
    settings = config["naive_transform"]
    own = {"naive": ["norm"], "global": [], "glocal": ["alpha", "temperature"]}[settings["variant"]]
    return {key: settings[key] for key in ["variant", "tolerance", *own]}


def convexity_settings():
    """What one layer's convexity depends on."""
    keys = ("categories", "n_neighbours", "metric", "pairs", "permutations", "sensitivity")
    return {key: config["convexity"][key] for key in keys}


def described_models():
    """What the aggregate says of every model: the descriptive fields of its row."""
    fields = ("paradigm", "objective", "architecture", "train_data", "train_images", "layers", "readout")
    return {name: {field: row[field] for field in fields if field in row} for name, row in MODELS.items()}
