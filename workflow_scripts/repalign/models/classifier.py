"""The linear classifier that a network ends with, and which of its layers it reads."""

from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image

from repalign.errors import InputError
from repalign.models.capture import reader

PROBE_SIZE = 64


@dataclass(frozen=True)
class Classifier:
    """A linear map from the features of one layer to class scores.

    Attributes
    ----------
    weight : (classes, features) array
    bias : (classes,) array
    layer : str
        The layer whose features it reads, pooled as the row pools.
    classes : tuple of str
        Names of the classes; empty where the weights do not say them.
    """

    weight: np.ndarray
    bias: np.ndarray
    layer: str
    classes: tuple[str, ...]


def final_classifier(network, layers, pooling=""):
    """The classifier of a network together with the layer that it reads.

    Which layer it reads is found by running the network on two images of noise: it is the layer whose pooled features
    are what the classifier is given. The layers of the row are tried first, then the outputs that the library names
    (`pre_logits`, `last_hidden_state`, `pooler_output`).

    Parameters
    ----------
    network : Network
    layers : sequence of str
    pooling : str
        See `repalign.models.pooling.pool`.

    Returns
    -------
    Classifier or None, where there is no classifier or none of these layers is what it reads.
    """
    if network.classifier is None:
        return None
    linear, batch = network.classifier, _noise(network)
    given = _input_of(linear, network.scores, batch)
    others = [name for name in network.outputs if name not in layers and "." not in name]
    for name in [*reversed(layers), *others]:
        try:
            features = reader(network, [name], pooling)(batch)[name]
        except InputError:
            continue
        if features.shape == given.shape and torch.allclose(features, given, rtol=1e-4, atol=1e-5):
            bias = linear.bias if linear.bias is not None else torch.zeros(linear.out_features)
            return Classifier(
                linear.weight.detach().float().numpy(), bias.detach().float().numpy(), name, network.classes
            )
    return None


def _noise(network):
    """Two images of noise, as the network wants them."""
    pixels = np.random.default_rng(0).integers(0, 256, (2, PROBE_SIZE, PROBE_SIZE, 3), dtype=np.uint8)
    return torch.stack([network.preprocess(Image.fromarray(image)) for image in pixels])


def _input_of(linear, scores, batch):
    given = []
    handle = linear.register_forward_pre_hook(lambda module, args: given.append(args[0].float()))
    try:
        with torch.inference_mode():
            scores(batch)
    finally:
        handle.remove()
    return given[-1]
