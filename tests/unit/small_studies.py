"""The config of the planted study, and a good row of each sheet, to be broken by tests."""

from pathlib import Path

import yaml
from conftest import merged, planted

ROOT = Path(__file__).resolve().parents[2]
SCHEMAS = {
    name: yaml.safe_load((ROOT / f"config/schemas/{name}.schema.yaml").read_text())
    for name in ("config", "models", "humans", "downloads")
}
DEFAULTS = merged(yaml.safe_load((ROOT / "config/config.yaml").read_text()), planted(ROOT))
MODEL = {
    "model": "one",
    "source": "precomputed",
    "identifier": "{things_dir}/models/unrelated.npy",
    "weights": "",
    "revision": "",
    "paradigm": "clip",
    "train_images": "",
    "layers": "features",
    "pooling": "",
    "readout": "",
    "order": "{things_dir}/file_order.txt",
}
HUMAN = {
    "human": "people",
    "kind": "embedding",
    "path": "{things_dir}/human/people.npy",
    "order": "{things_dir}/unique_id.txt",
}


def sheet(*rows):
    lines = [rows[0].keys(), *(row.values() for row in rows)]
    return "\n".join("\t".join(line) for line in lines) + "\n"
