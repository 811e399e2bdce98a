from pathlib import Path

import pytest
import yaml
from repalign.errors import InputError
from repalign.study.sheets import (
    expand_layers,
    read_humans,
    read_models,
    require_files,
    select,
    select_models,
)
from repalign.study.validation import check

ROOT = Path(__file__).resolve().parents[3]
SCHEMAS = {
    path.name.split(".")[0]: yaml.safe_load(path.read_text())
    for path in (ROOT / "config/schemas").glob("*.yaml")
}
HEADER = "model\tsource\tidentifier\tparadigm\tlayers\treadout\n"
ROW = "a\tprecomputed\t{things_dir}/a.npy\tclip\tx.{0..2}\tmiddle\n"


def write(tmp_path, text):
    path = tmp_path / "models.tsv"
    path.write_text(text, encoding="utf-8")
    return path


def test_layers_expand_and_readouts_resolve(tmp_path):
    models = read_models(write(tmp_path, HEADER + ROW), SCHEMAS["models"], {"things_dir": "data"})
    assert models == {
        "a": {
            "model": "a",
            "source": "precomputed",
            "identifier": "data/a.npy",
            "paradigm": "clip",
            "layers": ["x.0", "x.1", "x.2"],
            "readout": "x.1",
            "sheet": str(tmp_path / "models.tsv"),
        }
    }
    assert expand_layers("hidden_states.{9..11}, norm") == [
        "hidden_states.9",
        "hidden_states.10",
        "hidden_states.11",
        "norm",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            HEADER + ROW + ROW,
            "models.tsv, line 3 (a): the model 'a' appears twice; give every row its own name.",
        ),
        (
            HEADER + ROW.replace("a\t", "A b\t", 1),
            "line 2 (A b), model: 'A b' is not allowed (lower-case",
        ),
        (
            HEADER + ROW.replace("precomputed", "precomputd"),
            "line 2 (a), source: 'precomputd' is not allowed; did you mean precomputed.",
        ),
        (
            HEADER + ROW.replace("clip", ""),
            "line 2 (a): the key 'paradigm' is missing (supervised, self_supervised",
        ),
        (
            HEADER + ROW.replace("middle", "x.7"),
            "model a: the readout 'x.7' is not among its layers; did you mean x.2 or x.1 or x.0.",
        ),
        (
            HEADER + ROW.replace("things_dir", "data"),
            "field identifier: unknown placeholder {data}; use {things_dir}.",
        ),
        (HEADER + ROW.replace(".npy", ".pkl"), "a file of precomputed features ends in .npy, .npz"),
        (HEADER + ROW.replace("x.{0..2}", "x,x"), "a layer is listed twice in the field layers."),
        (HEADER.replace("layers", "layer") + ROW, "models.tsv: unknown column 'layer'; did you mean layers."),
        (HEADER.replace("\treadout", ""), "models.tsv has no rows; add one per model."),
        ("model\tsource\n", "models.tsv: the column 'identifier' is missing."),
        ("", "models.tsv is empty; write the column names and one row per model."),
        (
            HEADER.replace("readout", "revision") + ROW.replace("middle", "main"),
            "revision: 'main' is not allowed",
        ),
        (HEADER + ROW.replace("x.{0..2}", "../x;rm"), "layers: '../x;rm' is not allowed"),
    ],
)
def test_bad_model_sheets_are_refused_in_one_sentence(tmp_path, text, message):
    with pytest.raises(InputError) as caught:
        read_models(write(tmp_path, text), SCHEMAS["models"], {"things_dir": "data"})
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_sheet_and_a_missing_file_are_named(tmp_path):
    with pytest.raises(
        InputError, match=r"The sheet .*none\.tsv does not exist; correct the path in the config"
    ):
        read_models(tmp_path / "none.tsv", SCHEMAS["models"], {})
    (tmp_path / "here").touch()
    require_files([("the config, x", tmp_path / "here"), ("the config, y", "made")], made={"made"})
    with pytest.raises(
        InputError, match="^the config, z: the file gone does not exist; correct the path or set things_dir.$"
    ):
        require_files([("the config, z", "gone")], made=set())


def test_humans_cover_all_objects_unless_declared(tmp_path):
    path = tmp_path / "humans.tsv"
    path.write_text("human\tkind\tpath\torder\npeople\tembedding\t{things_dir}/p.npy\t{things_dir}/o.txt\n")
    humans = read_humans(path, SCHEMAS["humans"], {"things_dir": "d"})
    assert humans["people"]["coverage"] == "all"
    assert humans["people"]["order"] == "d/o.txt"
    path.write_text("human\tkind\tpath\npeople\tmatrix\tp\n")
    with pytest.raises(
        InputError, match="kind: 'matrix' is not allowed; use one of embedding, dissimilarity"
    ):
        read_humans(path, SCHEMAS["humans"], {})


def test_selections_name_known_rows():
    assert select("all", {"a": 1, "b": 2}, "the config", "human") == ["a", "b"]
    assert select(["b"], {"a": 1, "b": 2}, "the config", "human") == ["b"]
    with pytest.raises(InputError, match="the config: there is no human 'spose6'; did you mean spose66"):
        select(["spose6"], {"spose66": 1}, "the config", "human")


def test_several_sheets_are_joined_and_stand_for_their_models(tmp_path):
    first = write(tmp_path, HEADER + ROW + ROW.replace("a\t", "b\t", 1))
    second = tmp_path / "more.tsv"
    second.write_text(HEADER + ROW.replace("a\t", "c\t", 1))
    models = read_models([str(first), str(second)], SCHEMAS["models"], {"things_dir": "data"})
    assert list(models) == ["a", "b", "c"]
    assert select_models("all", models, "the config") == ["a", "b", "c"]
    assert select_models([str(second), "a"], models, "the config") == ["a", "c"]
    with pytest.raises(InputError, match="the config: there is no model 'd'"):
        select_models(["d", str(first)], models, "the config")
    second.write_text(HEADER + ROW)
    with pytest.raises(InputError, match="more.tsv: the model 'a' is also in .*models.tsv; rename one"):
        read_models([str(first), str(second)], SCHEMAS["models"], {"things_dir": "data"})


def config_with(changes):
    config = yaml.safe_load((ROOT / "config/config.yaml").read_text())
    for path, value in changes.items():
        *parents, key = path.split(".")
        node = config
        for parent in parents:
            node = node[parent]
        if value is KeyError:
            del node[key]
        else:
            node[key] = value
    return config


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sede": 1}, "The config: unknown key 'sede'; did you mean seed."),
        ({"gwot.trails": 5}, "The config, gwot: unknown key 'trails'; did you mean trials"),
        ({"seed": "one"}, "The config, seed: 'one' is not a whole number."),
        ({"seed": -1}, "The config, seed: -1 is less than the minimum of 0."),
        (
            {"study": "My study"},
            "The config, study: 'My study' is not allowed (lower-case letters",
        ),
        ({"study": "../up"}, "The config, study: '../up' is not allowed"),
        ({"gwot": KeyError}, "The config: the key 'gwot' is missing."),
        ({"gwot.metric": "cosin"}, "The config, gwot.metric: 'cosin' is not allowed; did you mean cosine."),
        (
            {"gwot.epsilon": [0.1]},
            "The config, gwot.epsilon: [0.1] is too short ([low, high], both positive; or one positive number).",
        ),
        (
            {"gwot.epsilon": [0, 1]},
            "The config, gwot.epsilon.0: 0 is less than or equal to the minimum of 0.",
        ),
        (
            {"rsa.method": "cka"},
            "The config, rsa.method: 'cka' is not allowed; use one of spearman, pearson, kendall.",
        ),
        (
            {"figures.formats": ["gif"]},
            "The config, figures.formats.0: 'gif' is not allowed; use one of pdf, svg, png.",
        ),
        (
            {"odd_one_out.noise_ceiling": 67.22},
            "The config, odd_one_out.noise_ceiling: 67.22 is greater than the maximum of 1",
        ),
        ({"world.objects": 10}, "The config, world.objects: 10 is less than the minimum of 54."),
        (
            {"gwot.device": "gpu"},
            "The config, gwot.device: 'gpu' is not allowed (auto, cpu or cuda).",
        ),
    ],
)
def test_bad_configs_are_refused_in_one_sentence(changes, message):
    with pytest.raises(InputError) as caught:
        check(config_with(changes), SCHEMAS["config"], "The config")
    assert str(caught.value).startswith(message)


OVERLAYS = [
    path
    for path in sorted((ROOT / "config").glob("*.yaml"))
    if isinstance(yaml.safe_load(path.read_text()), dict)
]


@pytest.mark.parametrize("path", OVERLAYS, ids=lambda path: path.stem)
def test_every_config_names_only_known_keys(path):
    defaults = config_with({})
    overlay = yaml.safe_load(path.read_text())

    def merge(base, top):
        for key, value in top.items():
            both = isinstance(value, dict) and isinstance(base.get(key), dict)
            base[key] = merge(base[key], value) if both else value
        return base

    check(merge(defaults, overlay), SCHEMAS["config"], path.name)


def described(schema, config, where=""):
    """Keys of the schema without a default in config.yaml."""
    missing = []
    for key, sub in schema.get("properties", {}).items():
        if key not in config:
            missing.append(f"{where}{key}")
        elif isinstance(config[key], dict):
            missing += described(sub, config[key], f"{where}{key}.")
    return missing


def test_every_key_has_its_default_in_config_yaml():
    assert described(SCHEMAS["config"], config_with({})) == []
