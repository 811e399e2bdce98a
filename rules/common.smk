# Reads and checks config and sheets; every helper function of the rules. Paid again in every job: no torch here.
import re
import sys
from pathlib import Path

import yaml
from snakemake.exceptions import WorkflowError

BASE = Path(workflow.basedir)
SCRIPTS = BASE / "workflow_scripts"
sys.path.insert(0, str(SCRIPTS))

from repalign.errors import InputError
from repalign.provenance import code_digest
from repalign.sheets import resolve_layer, select, select_models
from repalign.study import IMAGE_SOURCES, export_password, model_files, read_study


def load_study():
    """The checked study; stops with one sentence where config or sheets are wrong."""
    schemas = {
        name: yaml.safe_load((BASE / f"config/schemas/{name}.schema.yaml").read_text())
        for name in ("config", "models", "humans", "downloads")
    }
    try:
        return read_study(config, schemas)
    except InputError as error:
        raise WorkflowError(str(error)) from None


study = load_study()
export_password(config)
config, MODELS, HUMANS, DOWNLOADS = study.config, study.models, study.humans, study.downloads
things_file, world_files = study.things_file, study.world_files
image_folder, made_images = study.image_folder, study.made_images
STUDY = f"results/{config['study']}"


def reference_folder():
    """The folder of judged images that are not among the others; none where the config has null."""
    images = config["images"] or {"references": None}
    return images["references"] and f"{config['things_dir']}/{images['references']}"


def downloads_of(*kinds):
    """Paths of the downloads of some kinds, as a regular expression."""
    return alternatives(path for path, row in DOWNLOADS.items() if row["kind"] in kinds)


def source_of(path):
    """The file in things_dir that a download is made from."""
    return f"{config['things_dir']}/{DOWNLOADS[path]['url'].partition(':')[0]}"


def network_to_start_from(wildcards):
    """The network whose training another one continues."""
    first = {"self_sup_sup": "self_supervised"}.get(wildcards.network)
    return f"{config['things_dir']}/networks/{first}" if first else []


def trained_networks(wildcards):
    """The folder of a network that the demo trains itself, where the row names one."""
    row, root = MODELS[wildcards.model], Path(config["things_dir"], "networks")
    paths = [Path(row[field]) for field in ("identifier", "weights") if field in row]
    return [str(root / path.relative_to(root).parts[0]) for path in paths if path.is_relative_to(root)]


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
        if key not in ("layers", "humans", "models", "overrides", "top_k", "threads", "robustness")
    }
    for override in config["gwot"]["overrides"]:
        chosen = select_models(override.get("models", "all"), MODELS, "gwot.overrides")
        if wildcards.human in override.get("humans", HUMANS) and wildcards.model in chosen:
            shared |= {key: value for key, value in override.items() if key not in ("humans", "models")}
    return shared


def gwot_keys():
    """(human, model, layer) of every alignment of the study."""
    return [
        (human, model, layer)
        for human in selected_humans("gwot")
        for model in select_models(config["gwot"]["models"], MODELS, "gwot.models")
        for layer in gwot_layers(model)
    ]


def gwot_outputs(name):
    """One file of every alignment of the study, in the order of gwot_keys()."""
    return [f"<results>/gwot/{human}/{model}/{layer}/{name}" for human, model, layer in gwot_keys()]


def convexity_models():
    """The models of the convexity study."""
    return select_models(config["convexity"]["models"], MODELS, "convexity.models")


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


CONVEXITY_TABLES = ("transform", "finetuning", "correlations", "published")


def study_models():
    """What the convexity study's tables say of its models."""
    return {model: described_models()[model] for model in convexity_models()}


def convexity_study_outputs():
    """Every figure and table of the convexity study."""
    figures = ("convexity_depth", "convexity_alignment", "convexity_neighbours", "convexity_correlations")
    return [
        *[path for name in figures for path in figure_files(name)],
        *[
            path
            for name in CONVEXITY_TABLES
            for path in multiext(f"<results>/tables/convexity_{name}", ".tsv", ".tex")
        ],
        "<results>/aggregate/joined_layers.tsv",
    ]


def described_models():
    """What the aggregate says of every model: the descriptive fields of its row."""
    fields = ("paradigm", "objective", "architecture", "train_data", "train_images", "layers", "readout")
    return {name: {field: row[field] for field in fields if field in row} for name, row in MODELS.items()}


def figure_style():
    """The look of every figure; what a figure shows is not part of it."""
    return {key: config["figures"][key] for key in ("width_mm", "font_size", "titles")}


def figure_files(name):
    """The files of a figure: one per format, and its data."""
    return multiext(
        f"<results>/figures/{name}", *(f".{suffix}" for suffix in config["figures"]["formats"]), ".tsv"
    )


def all_figures():
    """Every figure of the study."""
    return [path for name in ("agreement", "matching", "transport_plans") for path in figure_files(name)]


def all_tables():
    """Every table of the study."""
    return multiext("<results>/tables/models", ".tsv", ".tex")


def final_outputs():
    """What a bare `snakemake` makes."""
    robustness = ("robustness.tsv", "sensitivity.tsv") if config["gwot"]["robustness"] else ()
    return [
        *all_figures(),
        *all_tables(),
        *(convexity_study_outputs() if convexity_models() else []),
        *(path for name in robustness for path in gwot_outputs(name)),
    ]
