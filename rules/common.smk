# Reads and checks config and sheets; the helper functions that stages share. Paid again in every job: no torch here.
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

from repalign.errors import InputError
from repalign.storage.checksums import files_digest
from repalign.storage.provenance import code_digest
from repalign.study import resources
from repalign.study.sheets import resolve_layer, select, select_models
from repalign.study.study import (
    IMAGE_SOURCES,
    Study,
    export_password,
    human_files,
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


def model_needs(wildcards, attempt):
    """What a job over all layers of a model asks of the cluster."""
    return resources.layers(study.count_objects(), len(MODELS[wildcards.model]["layers"]), attempt)


def layer_needs(wildcards, attempt):
    """What a job over one layer asks of the cluster."""
    return resources.layers(study.count_objects(), 1, attempt)


def selected_humans(stage):
    """The humans that a stage compares with."""
    return select(config[stage]["humans"], HUMANS, f"{stage}.humans", "human")


def map_systems():
    """The humans and models of the map of systems; none where the config has no map."""
    return select_systems(config["gwot"]["map"], HUMANS, MODELS)


def map_pairs():
    """Every unordered pair of systems of the map."""
    return list(combinations(map_systems(), 2))


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


def described_models():
    """What the aggregate says of every model: the descriptive fields of its row."""
    fields = ("paradigm", "objective", "architecture", "train_data", "train_images", "layers", "readout")
    return {name: {field: row[field] for field in fields if field in row} for name, row in MODELS.items()}
