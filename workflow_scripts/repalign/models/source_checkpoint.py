"""Weights that a paper published outside any library, in an architecture of torchvision or timm."""

from functools import partial

import timm
from torch import nn

from repalign.errors import InputError
from repalign.models import source_timm, source_torchvision
from repalign.models.network import seeded
from repalign.models.preprocessing import Pixels
from repalign.models.training_state import find_state
from repalign.models.weights import fit_classes, load_into, obtain, read_state

# Parts for training only: heads, projectors, decoders, queues, the predicted token of masked modelling.
TRAINING_PARTS = (
    "fc.",
    "head.",
    "classifier.",
    "projector.",
    "projection_head.",
    "projection_head_mlp.",
    "prototypes.",
    "predictor.",
    "decoder",
    "mask_token",
    "queue",
    "encoder_k.",
    "momentum",
    "bn.",
    "n_averaged",
)


def load(spec, *, cache_dir=None):
    """Load a row of source `checkpoint`.

    `identifier` is `library:architecture` (library torchvision or timm), `weights` a URL or file, `revision` its sha256
    and `preprocessing` how it wants its images, for the file does not say it. What a training loop wraps around the
    weights is undone (see `repalign.models.training_state`), and training parts are dropped. A classifier that the
    checkpoint lacks becomes the identity, so that the last layer is what it would read.
    """
    library, _, rest = spec.identifier.partition(":")
    architecture = rest.partition(":")[0]
    if library not in ("torchvision", "timm") or not architecture:
        raise InputError(
            f"Model {spec.model} has the identifier '{spec.identifier}'; write torchvision:<architecture> or "
            "timm:<architecture>."
        )
    how = spec.declared_preprocessing()
    if not spec.weights or spec.random_seed is not None:
        raise InputError(f"Model {spec.model} is a checkpoint without weights; give a URL or a file.")
    weights = obtain(spec.weights, spec.revision, cache_dir=cache_dir)
    source = source_torchvision if library == "torchvision" else source_timm
    architecture = source.registered(architecture, spec.model)
    build = partial(source_torchvision.build if library == "torchvision" else _build_timm, architecture)
    module = build()
    state = find_state(read_state(weights.path), module, path=weights.path, model=spec.model)
    module, head, has_head = fit_classes(module, build, state)
    dropped = load_into(
        module,
        state,
        model=spec.model,
        path=weights.path,
        may_lack=() if has_head else (f"{head}.",),
        may_add=TRAINING_PARTS,
    )
    if not has_head:
        parent, _, name = head.rpartition(".")
        setattr(module.get_submodule(parent), name, nn.Identity())
    network = source.assemble(
        module,
        Pixels(how),
        weights=str(weights.path),
        sha256=weights.sha256,
        dropped=sorted(dropped),
    )
    return network.classifying(module, module.get_submodule(head)) if has_head else network


def _build_timm(architecture, seed=0, **options):
    return seeded(seed, lambda: timm.create_model(architecture, pretrained=False, **options))
