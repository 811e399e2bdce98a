# Reads and checks config and sheets; every helper function of the rules. Paid again in every job: no torch here.
import os
import re
import sys
from itertools import combinations
from pathlib import Path

import yaml
from snakemake.exceptions import WorkflowError

BASE = Path(workflow.basedir)
SCRIPTS = BASE / "workflow_scripts"
sys.path.insert(0, str(SCRIPTS))

from repalign.study import resources as estimates
from repalign.errors import InputError
from repalign.storage.checksums import files_digest
from repalign.storage.provenance import code_digest
from repalign.study.sheets import resolve_layer, select, select_models
from repalign.study.study import (
    IMAGE_SOURCES,
    Study,
    export_password,
    model_files,
    read_study,
    select_systems,
)

# Where the study of this run lies, for its jobs.
SNAPSHOT = "REPALIGN_STUDY"


def load_study():
    """The checked study; stops with one sentence where config or sheets are wrong.

    Jobs take the study as it was when the run began: a sheet that is edited meanwhile is of the next run.
    """
    if not workflow.is_main_process and SNAPSHOT in os.environ:
        return Study.read(os.environ[SNAPSHOT])
    schemas = {
        name: yaml.safe_load((BASE / f"config/schemas/{name}.schema.yaml").read_text())
        for name in ("config", "models", "humans", "downloads")
    }
    try:
        found = read_study(config, schemas)
        os.environ[SNAPSHOT] = str(found.write(".snakemake/repalign"))
    except InputError as error:
        raise WorkflowError(str(error)) from None
    return found


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


def fetched_weights(wildcards):
    """The record of a network's weights, fetched where there is internet; nothing where they lie here already."""
    row = MODELS[wildcards.model]
    weights = row.get("weights", "")
    untrained = weights.startswith("random:") and row["source"] in ("torchvision", "timm")
    local = Path(row["identifier"]).is_dir() or (row["source"] == "checkpoint" and "://" not in weights)
    if local or untrained or trained_networks(wildcards):
        return []
    return "<results>/inputs/weights/{model}.json"


onerror:
    sys.stderr.write(
        f"\nrepalign: not everything was made. Each cause stands above in a line that begins with 'repalign:', and in full "
        f"in {STUDY}/logs/<rule>/. What is finished is kept: mend the cause, then type the same command again.\n"
    )


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
    first=alternatives([*HUMANS, *MODELS]),
    second=alternatives([*HUMANS, *MODELS]),
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


def needs(estimate, *names):
    """Resources of a rule by name; what `estimate(wildcards, attempt)` says of each."""

    def need(name):
        return lambda wildcards, attempt: estimate(wildcards, attempt)[name]

    return {name: need(name) for name in names}


def threads_for_objects(most):
    """Threads that earn their place: matrices of a few hundred objects are done before a second thread has started."""
    return most if study.count_objects() >= 1000 else 1


def alignment_needs(wildcards, attempt):
    """What one alignment asks of the cluster."""
    return estimates.alignment(study.count_objects(), align_settings(wildcards)["trials"], attempt)


def map_needs(wildcards, attempt):
    """What aligning two systems with each other asks of the cluster."""
    return estimates.alignment(study.count_objects(), config["gwot"]["trials"], attempt)


def extraction_needs(wildcards, attempt):
    """What reading the layers of a network asks of the cluster."""
    row, images = MODELS[wildcards.model], study.count_images(wildcards.image_set)
    return estimates.extraction(estimates.parameters(row["identifier"]), images, len(row["layers"]), attempt)


def model_needs(wildcards, attempt):
    """What a job over all layers of a model asks of the cluster."""
    return estimates.layers(study.count_objects(), len(MODELS[wildcards.model]["layers"]), attempt)


def pair_needs(wildcards, attempt):
    """What a job over two layers and every judgement asks of the cluster."""
    return estimates.layers(study.count_objects(), 2, attempt, matrices=30)


def layer_needs(wildcards, attempt):
    """What a job over one layer asks of the cluster."""
    return estimates.layers(study.count_objects(), 1, attempt)


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


def map_systems():
    """The humans and models of the map of systems; none where the config has no map."""
    return select_systems(config["gwot"]["map"], HUMANS, MODELS)


def map_pairs():
    """Every unordered pair of systems of the map."""
    return list(combinations(map_systems(), 2))


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


def gwot_keys():
    """(human, model, layer) of every alignment of the study."""
    layerwise = convexity_models() if config["convexity"]["align"] else []
    aligned = {*select_models(config["gwot"]["models"], MODELS, "gwot.models"), *layerwise}
    every = MODELS if config["gwot"]["layers"] == "all" else layerwise
    return [
        (human, model, layer)
        for human in selected_humans("gwot")
        for model in MODELS
        if model in aligned
        for layer in (MODELS[model]["layers"] if model in every else [MODELS[model]["readout"]])
    ]


def gwot_outputs(name):
    """One file of every alignment of the study, in the order of gwot_keys()."""
    return [f"<results>/gwot/{human}/{model}/{layer}/{name}" for human, model, layer in gwot_keys()]


GWOT_ROBUSTNESS = [f"<results>/aggregate/gwot_{name}.parquet" for name in ("robustness", "sensitivity")]


def convexity_models():
    """The models of the convexity study."""
    return select_models(config["convexity"]["models"], MODELS, "convexity.models")


def classifier_models():
    """The models of the convexity study whose classifier is asked about the segments between members."""
    wanted = config["convexity"]["euclidean"] is not None
    return [model for model in convexity_models() if wanted and MODELS[model]["source"] in IMAGE_SOURCES]


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


def study_models(*fields):
    """What the convexity study's tables say of its models, with these fields of their rows."""
    rows = {model: {field: MODELS[model].get(field, "") for field in fields} for model in convexity_models()}
    return {model: described_models()[model] | row for model, row in rows.items()}


def finetuning_pair(wildcards):
    """A model of the convexity study and its fine-tuned version."""
    return [wildcards.model, config["convexity"]["finetuned"][wildcards.model]]


def described_models():
    """What the aggregate says of every model: the descriptive fields of its row."""
    fields = ("paradigm", "objective", "architecture", "train_data", "train_images", "layers", "readout")
    return {name: {field: row[field] for field in fields if field in row} for name, row in MODELS.items()}
