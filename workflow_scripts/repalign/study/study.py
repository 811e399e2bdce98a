"""The study that config and sheets describe, checked before anything runs.

Every job imports this module again, so it imports nothing heavy.
"""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Self

from repalign.errors import InputError
from repalign.study.sheets import (
    Row,
    read_humans,
    read_models,
    read_sheet,
    require_files,
    resolve_layer,
    select,
    select_models,
)
from repalign.study.validation import check

PASSWORD = "THINGS_PASSWORD"
IMAGE_SOURCES = ("torchvision", "timm", "open_clip", "transformers", "checkpoint")
# Number of THINGS concepts.
N_THINGS = 1854


@dataclass(frozen=True, eq=False)
class Study:
    """The checked config and sheets; `models`, `humans` and `downloads` are dictionaries of name to row."""

    config: dict[str, Any]
    models: dict[str, Row]
    humans: dict[str, Row]
    downloads: dict[str, Row]

    def write(self, folder: str | Path) -> Path:
        """Write the study to a file named after its digest; return the absolute path."""
        document = json.dumps([self.config, self.models, self.humans, self.downloads], ensure_ascii=False)
        name = hashlib.sha256(document.encode()).hexdigest()[:16]
        path = Path(folder).resolve() / f"study_{name}.json"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary = path.with_suffix(f".{os.getpid()}")
            temporary.write_text(document, encoding="utf-8")
            os.replace(temporary, path)
        return path

    @classmethod
    def read(cls, path: str | Path) -> Self:
        """The study that `write` wrote."""
        return cls(*json.loads(Path(path).read_text(encoding="utf-8")))

    def things_file(self, key: str) -> str | list[str]:
        """Path of a file of the THINGS data; an empty list (no input of a rule) if the config has null."""
        name = self.config["things"].get(key)
        return [] if name is None else f"{self.config['things_dir']}/{name}"

    def image_folder(self) -> str:
        """The folder of images, with one folder for each object; empty if the study has no images."""
        images = self.config["images"]
        return "" if images is None else f"{self.config['things_dir']}/{images['folder']}"

    def made_images(self) -> str | list[str]:
        """The image folder if a rule renders or fetches it; an empty list if it is there already."""
        folder = self.image_folder()
        rendered = folder and self.config["world"] is not None
        return folder if rendered or folder in self.fetched_files() else []

    def count_objects(self) -> int:
        """Number of objects; that of the THINGS concepts as long as the file of names has not been fetched."""
        if self.config["world"] is not None:
            return self.config["world"]["objects"]
        return _count_lines(str(self.things_file("objects")))

    def count_images(self, image_set: str) -> int:
        """Approximate number of images of a set: THINGS has about 14 for each object, and 27 categories."""
        images, objects = self.config["images"], self.count_objects()
        each = {"behaviour": objects, "category": 27 * images["per_category"], "all": 14 * objects}
        return each[image_set]

    def fetched_files(self) -> set[str]:
        """All files that rules fetch into things_dir."""
        return {f"{self.config['things_dir']}/{path}" for path in self.downloads}

    def world_files(self) -> list[str]:
        """All files of the simulated world; none if the data is real."""
        world = self.config["world"]
        if world is None:
            return []
        data = [str(path) for key in self.config["things"] if (path := self.things_file(key))]
        models = [f"{model}.npy" for model in world["models"]]
        models += [f"{network}.npz" for network in world["networks"]]
        features = [f"{self.config['things_dir']}/models/{name}" for name in models]
        return sorted({*data, *features, f"{self.config['things_dir']}/human/people.npy"})

    def named_files(self) -> Iterator[tuple[str, str]]:
        """Yield (where it is named, path) of every file that config and sheets name."""
        for key in self.config["things"]:
            if path := self.things_file(key):
                yield f"The config, things.{key}", str(path)
        if path := self.config["convexity"]["published"]:
            yield "The config, convexity.published", path
        for name, row in self.humans.items():
            for field in ("path", "order"):
                if field in row:
                    yield f"{self.config['humans']}, human {name}, field {field}", row[field]
        for name, row in self.models.items():
            for path in model_files(row):
                yield f"{row['sheet']}, model {name}", path


@cache
def _count_lines(path: str) -> int:
    file = Path(path)
    return sum(1 for line in file.read_bytes().splitlines() if line) if file.is_file() else N_THINGS


def model_files(row: Row) -> list[str]:
    """The file of precomputed features that a model's row names, and the file that names its rows."""
    if row["source"] != "precomputed":
        return []
    return [row[field] for field in ("identifier", "order") if field in row]


def human_files(row: Row) -> list[str]:
    """The file of a human representation, and the file that names its rows if there is one."""
    return [row[field] for field in ("path", "order") if field in row]


def select_systems(
    settings: Mapping[str, Any] | None, humans: Mapping[str, Row], models: Mapping[str, Row]
) -> list[str]:
    """The humans and models that `gwot.map` names; none if it is null."""
    if settings is None:
        return []
    return select(settings["systems"], {**humans, **models}, "The config, gwot.map.systems", "human or model")


def read_study(config: Mapping[str, Any], schemas: Mapping[str, Any]) -> Study:
    """Check the config and read its sheets.

    Parameters
    ----------
    config : dict
        The config after Snakemake has merged all config files.
    schemas : dict of name to JSON schema
        Of the config and of a row of each sheet: config, models, humans, downloads.

    Returns
    -------
    Study

    Raises
    ------
    InputError
        One sentence about the first error.
    """
    check(config, schemas["config"], "The config")
    # Scripts and reports do not get to see the password.
    config = {key: value for key, value in config.items() if key != "things_password"}
    config |= {"convexity": _without_removed_pairs(config["convexity"])}
    directories = {"things_dir": config["things_dir"]}
    sheet = config["downloads"]
    study = Study(
        config,
        models=read_models(config["models"], schemas["models"], directories),
        humans=read_humans(config["humans"], schemas["humans"], directories),
        downloads=read_sheet(sheet, schemas["downloads"], "path") if sheet else {},
    )
    require_files(study.named_files(), made={*study.world_files(), *study.fetched_files()})
    _check_downloads(study)
    _check_images(study)
    _check_gwot(study)
    _check_convexity(study)
    _check_figures(config["figures"])
    return study


def export_password(config: dict[str, Any]) -> None:
    """Move the password of the images from the config, which is written to disk, into the environment of the jobs."""
    if password := config.pop("things_password", None):
        os.environ[PASSWORD] = password


def _without_removed_pairs(convexity):
    """Snakemake merges config files key by key, so an overlay removes a default pair by setting it to null."""
    return convexity | {
        "finetuned": {base: tuned for base, tuned in convexity["finetuned"].items() if tuned is not None}
    }


def _check_downloads(study):
    for path, row in study.downloads.items():
        if row["kind"] not in ("member", "file_order") and not row["url"].startswith(("https://", "http://")):
            raise InputError(
                f"{study.config['downloads']}, {path}: '{row['url']}' is not a web address; write https://..."
            )


def _check_images(study):
    if study.config["images"] is not None:
        return
    for name, row in study.models.items():
        if row["source"] in IMAGE_SOURCES:
            raise InputError(
                f"{row['sheet']}: {name} reads images, but the config has images: null; set images.folder."
            )


def _check_gwot(study):
    config, models, humans = study.config, study.models, study.humans
    for stage in ("gwot", "rsa", "similarity", "clustering"):
        select(config[stage]["humans"], humans, f"The config, {stage}.humans", "human")
    select_models(config["gwot"]["models"], models, "The config, gwot.models")
    select_systems(config["gwot"]["map"], humans, models)
    _check_range(config["gwot"]["epsilon"], "The config, gwot.epsilon")
    for number, override in enumerate(config["gwot"]["overrides"]):
        source = f"The config, gwot.overrides.{number}"
        _check_range(override.get("epsilon", (1, 1)), f"{source}.epsilon")
        select(override.get("humans", "all"), humans, f"{source}.humans", "human")
        select_models(override.get("models", "all"), models, f"{source}.models")
    if (pair := config["figures"]["transport_plans"]) is not None:
        select(pair[:1], humans, "The config, figures.transport_plans", "human")
        select(pair[1:], models, "The config, figures.transport_plans", "model")


def _check_range(ends, source):
    if isinstance(ends, (list, tuple)) and ends[0] > ends[1]:
        raise InputError(f"{source}: {ends[0]} is greater than {ends[1]}; write the smaller number first.")


def _check_convexity(study):
    config, models = study.config, study.models
    select_models(config["convexity"]["models"], models, "The config, convexity.models")
    for pair in config["convexity"]["finetuned"].items():
        select(pair, models, "The config, convexity.finetuned", "model")
    for alias in config["naive_transform"]["layers"]:
        if not any(resolve_layer(alias, row["layers"]) for row in models.values()):
            raise InputError(
                f"The config, naive_transform.layers: no model has the layer '{alias}'; write first, middle, last or a "
                "layer of the sheet."
            )


def _check_figures(figures):
    if figures["size"] not in figures["sizes"]:
        raise InputError(
            f"The config, figures.size: '{figures['size']}' is not one of figures.sizes; write one of "
            f"{', '.join(figures['sizes'])}."
        )
