"""Weights that a paper published outside any library, in an architecture of torchvision or timm."""

from functools import partial

import timm
import torch
from torch import nn

from repalign.errors import InputError
from repalign.models import source_timm, source_torchvision
from repalign.models.network import seeded
from repalign.models.preprocessing import preprocessing
from repalign.models.weights import fit_classes, load_into, obtain, read_state

# Where training loops keep the weights, from the outside in (VISSL; MoCo, timm, lightning; MAE; DINO).
NESTS = (
    ("classy_state_dict", "base_model", "model", "trunk"),
    ("state_dict",),
    ("model_state",),
    ("model",),
    ("teacher",),
    ("student",),
)
# What they put before each name. The longest that fits the backbone is removed.
PREFIXES = (
    "_feature_blocks.",
    "trunk._feature_blocks.",
    "module.encoder_q.",
    "module.base_encoder.",
    "module.backbone.",
    "module.encoder.",
    "module.",
    "encoder_q.",
    "base_encoder.",
    "backbone.",
    "encoder.",
    "model.",
    "net.",
)
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
)


def load(spec, *, cache_dir=None):
    """Load a row of source `checkpoint`.

    `identifier` is `library:architecture` or `library:architecture:preprocessing` (library torchvision or timm;
    preprocessing `imagenet`, the default, `imagenet@64` for 64 px, or `caffe_bgr`), `weights` a URL or file and
    `revision` its sha256. Nested dictionaries and prefixes of VISSL, MoCo, SimSiam, SwAV, DINO and MAE are undone,
    and training parts dropped. A classifier that the checkpoint lacks becomes the identity, so that the last layer
    is what it would read.
    """
    library, _, rest = spec.identifier.partition(":")
    architecture, _, transform = rest.partition(":")
    if library not in ("torchvision", "timm") or not architecture:
        raise InputError(
            f"Model {spec.model} has the identifier '{spec.identifier}'; write torchvision:<architecture> or "
            "timm:<architecture>, and a preprocessing after another colon where it is not imagenet."
        )
    preprocess = preprocessing(transform or "imagenet")
    if not spec.weights or spec.random_seed is not None:
        raise InputError(f"Model {spec.model} is a checkpoint without weights; give a URL or a file.")
    weights = obtain(spec.weights, spec.revision, cache_dir=cache_dir)
    source = source_torchvision if library == "torchvision" else source_timm
    architecture = source.registered(architecture, spec.model)
    found = unnest(read_state(weights.path))
    build = partial(source_torchvision.build if library == "torchvision" else _build_timm, architecture)
    module = build()
    state = strip_prefix(found, module.state_dict())
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
        preprocess,
        weights=str(weights.path),
        sha256=weights.sha256,
        dropped=sorted(dropped),
    )
    return network.classifying(module, module.get_submodule(head)) if has_head else network


def unnest(checkpoint):
    """The dictionary of tensors inside the nested dictionaries of a training loop."""
    for nest in NESTS:
        inner = checkpoint
        for key in nest:
            inner = inner.get(key) if isinstance(inner, dict) else None
        if isinstance(inner, dict) and any(isinstance(value, torch.Tensor) for value in inner.values()):
            return {name: value for name, value in inner.items() if isinstance(value, torch.Tensor)}
        if isinstance(inner, dict) and inner:
            return unnest(inner)
    if isinstance(checkpoint, dict):
        return {name: value for name, value in checkpoint.items() if isinstance(value, torch.Tensor)}
    raise InputError(
        "The checkpoint holds no dictionary of tensors; it is of a format that repalign does not know."
    )


def strip_prefix(state, own):
    """Remove the prefix under which most names of the backbone lie."""
    best = max(
        ("", *PREFIXES),
        key=lambda prefix: sum(name.startswith(prefix) and name[len(prefix) :] in own for name in state),
    )
    rest = {
        name.removeprefix("module."): tensor for name, tensor in state.items() if not name.startswith(best)
    }
    return rest | {name[len(best) :]: tensor for name, tensor in state.items() if name.startswith(best)}


def _build_timm(architecture, seed=0, **options):
    return seeded(seed, lambda: timm.create_model(architecture, pretrained=False, **options))
