"""What a lower precision does to the geometry of a layer."""

import numpy as np
import torch

from repalign.measures import rsa
from repalign.measures.rdm import dissimilarity
from repalign.models.capture import reader
from repalign.models.decoding import loader
from repalign.models.devices import autocast, deterministic, run_in_halves


def precision_effect(
    network, image_set, layers, precision, *, pooling="", device="cpu", batch_size=32, n_images=256
):
    """How a lower precision changes the geometry of each layer: RSA (Spearman, cosine) with fp32.

    Parameters
    ----------
    network, image_set, layers, pooling
        As in `repalign.models.extraction.extract`.
    precision, device, batch_size
        As in `repalign.models.extraction.Settings`.
    n_images : int
        How many images, evenly spaced over the set, to compare on.

    Returns
    -------
    dict of layer to float
    """
    device = torch.device(device)
    count = min(n_images, len(image_set))
    rows = np.unique(np.linspace(0, len(image_set) - 1, count).astype(int))
    network.module.to(device)
    read = reader(network, layers, pooling)
    features = {kind: {name: [] for name in layers} for kind in ("fp32", precision)}
    size = dict.fromkeys(features, batch_size)
    with deterministic():
        for batch in loader(network, image_set.take(rows), batch_size=batch_size, workers=0):
            if batch.images is None:
                continue
            for kind, of_layer in features.items():
                with autocast(device, kind):
                    found, size[kind] = run_in_halves(read, batch.images.to(device), size[kind])
                for name, tensor in found.items():
                    of_layer[name].append(tensor.cpu().numpy())
    rdms = {
        kind: {name: dissimilarity(np.concatenate(parts)) for name, parts in of_layer.items()}
        for kind, of_layer in features.items()
    }
    return {name: float(rsa.compare(rdms["fp32"][name], rdms[precision][name])) for name in layers}
