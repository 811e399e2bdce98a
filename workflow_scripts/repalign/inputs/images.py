"""Image sets: which images stand for which objects."""

import logging
import re
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from repalign.errors import InputError, listed
from repalign.inputs.row_labels import normalise

log = logging.getLogger(__name__)

SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp", ".webp", ".gif", ".tif", ".tiff"}
# What operating systems and archives leave beside images.
LITTER = {"__MACOSX", "@eaDir", "$RECYCLE.BIN", "System Volume Information"}
# THINGS numbers the images of an object and marks with a `b` the one that people judged, where it is among them.
REFERENCE = re.compile(r"_0*1b$")


@dataclass(frozen=True)
class ImageSet:
    """Images in a fixed order.

    Attributes
    ----------
    ids : tuple of str
        `object/file name without ending`; unique.
    paths : tuple of Path
    objects : tuple of str
        The object that each shows.
    category : tuple of str
        The category for which each was drawn; empty strings where none was.
    """

    ids: tuple[str, ...]
    paths: tuple[Path, ...]
    objects: tuple[str, ...]
    category: tuple[str, ...]

    def __len__(self):
        return len(self.ids)

    def to_table(self):
        """Data frame with the columns image, path, object and category."""
        return pd.DataFrame(
            {
                "image": self.ids,
                "path": [str(path) for path in self.paths],
                "object": self.objects,
                "category": self.category,
            }
        )

    @classmethod
    def from_table(cls, table):
        """From the data frame that `to_table` makes."""
        table = table.fillna({"category": ""})
        paths = tuple(Path(path) for path in table["path"])
        return cls(tuple(table["image"]), paths, tuple(table["object"]), tuple(table["category"]))

    def take(self, rows, category=None):
        """The images at `rows`, in that order."""
        columns = (self.ids, self.paths, self.objects, self.category if category is None else category)
        picked = [tuple(column[i] for i in rows) for column in columns[:3]]
        return ImageSet(*picked, tuple(columns[3][i] for i in rows) if category is None else tuple(category))


def index_images(folder, objects):
    """Every image of every object: `folder/<object>/<image>`, objects in unique_id order, images by name.

    Parameters
    ----------
    folder : path
        With one folder per object, spelt as in `objects` or with spaces.
    objects : sequence of str
        The study's objects, in unique_id order.

    Returns
    -------
    ImageSet

    Raises
    ------
    InputError
        No such folder, an object without images, or folders of unknown objects.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(f"There is no image folder {folder}; set images.folder, or fetch it (downloads).")
    found = {}
    for entry in sorted(folder.iterdir()):
        if not entry.is_dir() or is_litter(entry):
            continue
        if (name := normalise(entry.name)) in found:
            raise InputError(
                f"{folder} has the folders {found[name].name} and {entry.name} of one object; join them."
            )
        found[name] = entry
    if unknown := [name for name in found if name not in set(objects)]:
        raise InputError(
            f"{folder} has folders of {listed(unknown)}, not among the {len(objects)} objects; move them away."
        )
    rows = []
    for name in objects:
        images = image_files(found[name].iterdir()) if name in found else []
        if not images:
            raise InputError(
                f"{folder} has no image of the object {name}; complete the folder or drop the object."
            )
        rows += [(f"{name}/{path.stem}", path, name, "") for path in images]
    return ImageSet(*map(tuple, zip(*rows, strict=True)))


def is_litter(path):
    """Whether a file or folder is hidden (`._x.png`, `.DS_Store`) or made by a system for itself."""
    return path.name.startswith(".") or path.name in LITTER


def image_files(paths):
    """The images among files, by name; other files are left out and counted.

    Raises
    ------
    InputError
        Two images of one name that differ in their ending.
    """
    files = sorted(path for path in paths if path.is_file())
    images = [path for path in files if path.suffix.lower() in SUFFIXES and not is_litter(path)]
    if left := [path.name for path in files if path not in images]:
        log.info("%s: %d files are no images (%s)", files[0].parent, len(left), listed(left))
    first = {}
    for path in images:
        if (other := first.setdefault(normalise(path.stem), path)) is not path:
            raise InputError(
                f"{path.parent} has {path.name} beside {other.name}, two images of one name; rename one."
            )
    return images


def behaviour(index, references=None):
    """The image of each object that people judged in the odd-one-out task, in unique_id order.

    Not all of them are part of the 26,107 images: where an object's first image is not marked as judged
    (`<object>_01b`), its file in `references` stands in, or else its first image.

    Parameters
    ----------
    index : ImageSet
        Every image of every object.
    references : path or None
        Folder of the reference images, `<object>.jpg`.

    Returns
    -------
    (ImageSet, list of str): one image per object, and the objects whose judged image is not at hand.
    """
    first = {}
    for row, name in enumerate(index.objects):
        first.setdefault(name, row)
    own = index.take(list(first.values()))
    found = {}
    if references is not None:
        inside = Path(references)
        files = [
            path for path in inside.rglob("*") if not any(map(is_litter, path.relative_to(inside).parents))
        ]
        found = {normalise(path.stem): path for path in image_files(files)}
    ids, paths, replaced = [], [], []
    for image, path, name in zip(own.ids, own.paths, own.objects, strict=True):
        judged = found.get(name, path if REFERENCE.search(path.stem) else None)
        if judged is None:
            replaced.append(name)
        elif judged is not path:
            image = f"{name}/reference"
        ids.append(image)
        paths.append(judged or path)
    return ImageSet(tuple(ids), tuple(paths), own.objects, own.category), replaced


def category(index, memberships, names, per_category=100, seed=0):
    """Images drawn at random for each category, without replacement.

    The draw of one category depends on the seed, its name and its images alone, so adding a category changes no
    other. An image of an object in two categories may be drawn for both; it then appears twice, with its id marked.

    Parameters
    ----------
    index : ImageSet
    memberships : (objects, categories) boolean array, objects in the order in which `index` first names them
    names : sequence of str, of the categories
    per_category : int
    seed : int

    Returns
    -------
    ImageSet, categories in the order of `names`, images within them in that of `index`.

    Raises
    ------
    InputError
        A category with fewer images than asked for.
    """
    order = list(dict.fromkeys(index.objects))
    if np.shape(memberships) != (len(order), len(names)):
        raise InputError(
            f"The category table has the shape {np.shape(memberships)}, but there are {len(order)} objects with images "
            f"and {len(names)} categories; use a table of these objects."
        )
    position = {name: i for i, name in enumerate(order)}
    of_image = np.asarray(memberships, dtype=bool)[[position[name] for name in index.objects]]
    rows, drawn = [], []
    for column, name in enumerate(names):
        candidates = np.flatnonzero(of_image[:, column])
        if len(candidates) < per_category:
            raise InputError(
                f"The category {name} has {len(candidates)} images, fewer than the {per_category} to draw; lower "
                "image_sets.per_category or drop the category."
            )
        generator = np.random.default_rng([seed, zlib.crc32(name.encode())])
        rows += sorted(generator.choice(candidates, size=per_category, replace=False))
        drawn += [name] * per_category
    picked = index.take(rows, category=drawn)
    seen, ids = set(), []
    for image, name in zip(picked.ids, drawn, strict=True):
        ids.append(f"{image}@{name}" if image in seen else image)
        seen.add(image)
    return ImageSet(tuple(ids), picked.paths, picked.objects, picked.category)
