"""Embeddings and human representations as the workflow keeps them: arrays with the names of their rows."""

from dataclasses import dataclass

import numpy as np

from repalign.errors import InputError, listed
from repalign.measures.rdm import dissimilarity
from repalign.storage.artefacts import read_arrays, write_arrays


@dataclass(frozen=True)
class System:
    """A representation of m objects, human or of one layer: an (m, d) embedding or an (m, m) dissimilarity matrix."""

    array: np.ndarray
    objects: tuple[str, ...]
    kind: str

    def rdm(self, metric):
        """(m, m) dissimilarities: of the embedding under `metric`, or the matrix as it is."""
        return self.array if self.kind == "dissimilarity" else dissimilarity(self.array, metric)

    def select(self, objects):
        """The same representation of these objects alone, in their order."""
        index = _places(objects, self.objects)
        array = self.array[np.ix_(index, index)] if self.kind == "dissimilarity" else self.array[index]
        return System(array, tuple(objects), self.kind)


def write_human(path, human, metadata):
    """Write a human representation with its objects."""
    write_arrays(path, {human.kind: human.array}, {**metadata, "objects": list(human.objects)})


def load_human(path):
    """Read a human representation that `write_human` wrote."""
    arrays, metadata = read_arrays(path)
    ((kind, array),) = arrays.items()
    return System(array, tuple(metadata["objects"]), kind)


@dataclass(frozen=True)
class Embeddings:
    """Embeddings of a model, one (n, d) array a layer, with the names of the n objects."""

    layers: dict[str, np.ndarray]
    objects: tuple[str, ...]

    def rows(self, layer, objects):
        """(m, d) rows of a layer for these objects, in their order."""
        return self.layers[layer][_places(objects, self.objects)]


def _places(wanted, objects):
    """Where each wanted object stands."""
    row = {name: index for index, name in enumerate(objects)}
    if missing := [name for name in wanted if name not in row]:
        raise InputError(f"The embedding lacks {listed(missing)}; rerun its extraction.")
    return [row[name] for name in wanted]


def write_embeddings(path, embeddings, metadata):
    """Write the embeddings of a model with its objects and the order of its layers."""
    document = {**metadata, "objects": list(embeddings.objects), "layers": list(embeddings.layers)}
    write_arrays(path, embeddings.layers, document)


def load_embeddings(path, layers=None):
    """Read the embeddings of a model, all layers in their order or those named."""
    arrays, metadata = read_arrays(path, layers)
    return Embeddings(
        {name: arrays[name] for name in layers or metadata["layers"]}, tuple(metadata["objects"])
    )


def load_system(path, layer=None):
    """Read a human representation, or one layer of a model where `layer` names it."""
    if layer is None:
        return load_human(path)
    embeddings = load_embeddings(path, [layer])
    return System(embeddings.layers[layer], embeddings.objects, "embedding")
