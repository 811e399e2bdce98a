"""A fitted transform: apply, write and read it without torch."""

from dataclasses import dataclass, field

import numpy as np

from repalign.errors import InputError


@dataclass(frozen=True)
class HeldOutAnswers:
    """Held-out triplets of all folds, and whether centred cosine gets them right.

    Attributes
    ----------
    triplets : (m, 3) integer array
    original : (m,) boolean array
        Without a transform.
    transformed : (m,) boolean array
        With transforms fitted on other objects.
    """

    triplets: np.ndarray
    original: np.ndarray
    transformed: np.ndarray


@dataclass(frozen=True)
class HeldOut:
    """Scores of transforms on triplets of three objects that were held out of their fit, over all folds.

    Attributes
    ----------
    regularisation : float
    cross_entropy : float
        Mean over the held-out triplets; log 3 at chance.
    accuracy : float
        By the dot products that the transform is fitted with.
    accuracy_cosine : float
        By centred cosine, as untransformed embeddings are scored.
    baseline : float
        Centred cosine of the untransformed embedding, on the same triplets.
    n : int
        Held-out triplets.
    converged : bool
        In every fold.
    answers : HeldOutAnswers
        For intervals; not part of the artefact.
    """

    regularisation: float
    cross_entropy: float
    accuracy: float
    accuracy_cosine: float
    baseline: float
    n: int
    converged: bool
    answers: HeldOutAnswers | None = field(default=None, compare=False, repr=False)

    def summary(self):
        """A dictionary of everything but the single answers."""
        return {name: value for name, value in vars(self).items() if name != "answers"}


@dataclass(frozen=True)
class NaiveTransform:
    """z = weights (x - mean) / sd + bias, fitted on all triplets.

    Attributes
    ----------
    weights : (d, d) array
    bias : (d,) array
    mean, sd : float
        Scalars over the whole embedding.
    regularisation : float
    variant : str
    accuracy : float
        Odd-one-out accuracy by dot product on the triplets it was fitted on.
    accuracy_cosine : float
        The same by centred cosine.
    held_out : HeldOut
    loss : float
        Objective at the end.
    gradient_norm, relative_gradient_norm : float
        Length of its gradient, and relative to that at the start.
    iterations : int
    converged : bool
    """

    weights: np.ndarray
    bias: np.ndarray
    mean: float
    sd: float
    regularisation: float
    variant: str
    accuracy: float
    accuracy_cosine: float
    held_out: HeldOut
    loss: float
    gradient_norm: float
    relative_gradient_norm: float
    iterations: int
    converged: bool


def apply(transform, features):
    """Transform features of any images, (m, d) array to (m, d) array."""
    features = np.asarray(features, dtype=np.float64)
    if features.shape[-1] != len(transform.bias):
        raise InputError(
            f"The transform was fitted on {len(transform.bias)} features, but these points have {features.shape[-1]}."
        )
    return (features - transform.mean) / transform.sd @ transform.weights.T + transform.bias


def to_artefact(transform):
    """Arrays and metadata to write; `from_artefact` reads them."""
    summary = dict(vars(transform)) | {"held_out": transform.held_out.summary()}
    return {name: summary.pop(name) for name in ("weights", "bias")}, {"transform": summary}


def from_artefact(arrays, metadata):
    """The transform that `to_artefact` described."""
    summary = dict(metadata["transform"])
    summary["held_out"] = HeldOut(**summary["held_out"])
    return NaiveTransform(**arrays, **summary)
