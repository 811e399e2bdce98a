"""Open the network of a sheet row."""

import logging
import platform
from dataclasses import replace

import torch

from repalign.errors import InputError
from repalign.models.preprocessing import Pixels

log = logging.getLogger(__name__)

SOURCES = ("torchvision", "timm", "open_clip", "transformers", "checkpoint")


def load(spec, *, cache_dir=None):
    """Open a network through the library that it comes from.

    Parameters
    ----------
    spec : ModelSpec
    cache_dir : path or None
        Where weights from plain addresses are kept; None for torch's own folder. The hub keeps its own cache.

    Returns
    -------
    Network, on the CPU, in evaluation mode.

    Raises
    ------
    InputError
        An unknown source, architecture or tag; weights that cannot be had, do not fit, have another sha256 or would
        have to execute code; a preprocessing that is not declared where it cannot be known.
    """
    # Each library takes seconds to import, so only the one that is needed is.
    if spec.source == "torchvision":
        from repalign.models.source_torchvision import load as open_network
    elif spec.source == "timm":
        from repalign.models.source_timm import load as open_network
    elif spec.source == "open_clip":
        from repalign.models.source_open_clip import load as open_network
    elif spec.source == "transformers":
        from repalign.models.source_transformers import load as open_network
    elif spec.source == "checkpoint":
        from repalign.models.source_checkpoint import load as open_network
    else:
        raise InputError(
            f"Model {spec.model} has the source '{spec.source}'; choose one of {', '.join(SOURCES)}."
        )
    network = open_network(spec, cache_dir=cache_dir)
    how = spec.declared_preprocessing()
    if how:
        log.info("Model %s: preprocessing as the sheet declares it, %s", spec.model, how)
        network = replace(network, preprocess=Pixels(how)).described(preprocessing=repr(how))
    versions = network.description["versions"] | {
        "torch": torch.__version__,
        "python": platform.python_version(),
    }
    return network.described(
        source=spec.source,
        identifier=spec.identifier,
        weights_name=spec.weights,
        revision=spec.revision,
        versions=versions,
    )
