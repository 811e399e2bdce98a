"""torchvision: architectures by name, weights by enum member."""

import re
from functools import partial

import torchvision
from torchvision.models.vision_transformer import VisionTransformer

from repalign.errors import InputError
from repalign.inputs.preprocessing import FILES
from repalign.models.layers import nearest
from repalign.models.network import Network, PlainCall, seeded
from repalign.models.training_state import find_state
from repalign.models.weights import fit_classes, is_url, load_into, obtain, read_state


def registered(identifier, model):
    """The lower-case name of an architecture that torchvision knows, or `InputError`."""
    names = torchvision.models.list_models(module=torchvision.models)
    if identifier.lower() not in names:
        raise InputError(
            f"torchvision has no model '{identifier}' (model {model}); {nearest(identifier, names)}."
        )
    return identifier.lower()


def build(identifier, seed=0, **options):
    """An architecture with random weights; auxiliary training heads of Inception and GoogLeNet are left out."""
    if identifier in ("inception_v3", "googlenet"):
        options |= {"aux_logits": False, "init_weights": True}
    return seeded(seed, lambda: torchvision.models.get_model(identifier, weights=None, **options))


def assemble(module, preprocess, **description):
    """A `Network` from a torchvision module."""
    tokens = isinstance(module, VisionTransformer)
    return Network(
        module,
        preprocess,
        PlainCall(module),
        prefix_tokens=int(tokens),
        class_token=tokens,
        description={
            "preprocessing": repr(preprocess),
            "versions": {"torchvision": torchvision.__version__},
            **description,
        },
    )


def load(spec, *, cache_dir=None):
    """Load a row of source `torchvision`.

    `weights` is an enum member (`IMAGENET1K_V2`, or in full), a state dictionary on disk, or `random:<seed>`.
    """
    identifier = registered(spec.identifier, spec.model)
    enum = torchvision.models.get_model_weights(identifier)
    member, classes = spec.weights.rsplit(".", 1)[-1], ()
    if spec.random_seed is not None or (spec.weights and member not in enum.__members__):
        preprocess = next(iter(enum)).transforms()
        if spec.random_seed is not None:
            return assemble(build(identifier, spec.random_seed), preprocess)
        if is_url(spec.weights) or not spec.weights.lower().endswith(FILES):
            raise InputError(
                f"torchvision has no weights '{spec.weights}' for {identifier} (model {spec.model}); it has "
                f"{', '.join(enum.__members__)}."
            )
        weights = obtain(spec.weights, spec.revision)
        state = find_state(read_state(weights.path), build(identifier), path=weights.path, model=spec.model)
    elif not spec.weights:
        raise InputError(
            f"Model {spec.model} names no weights; torchvision has {', '.join(enum.__members__)} for {identifier}."
        )
    else:
        chosen = enum[member]
        classes = chosen.meta.get("categories", ())
        preprocess = chosen.transforms()
        # The publisher writes the first digits of the sha256 into the file name.
        published = re.search(r"-([0-9a-f]{8,})\.pth$", chosen.url)
        weights = obtain(
            chosen.url, spec.revision or (published.group(1) if published else ""), cache_dir=cache_dir
        )
        state = read_state(weights.path)
    state = _modern(state)
    module, head, _ = fit_classes(build(identifier), partial(build, identifier), state)
    aux = ("AuxLogits.", "aux1.", "aux2.")
    load_into(module, state, model=spec.model, path=weights.path, may_add=aux)
    network = assemble(module, preprocess, weights=str(weights.path), sha256=weights.sha256)
    return network.classifying(module, module.get_submodule(head), classes)


def _modern(state):
    """DenseNet's published weights use names from before PyTorch forbade dots in them: norm.1 is norm1."""
    return {
        re.sub(r"(denselayer\d+\.(?:norm|relu|conv))\.([12])\.", r"\1\2.", name): t
        for name, t in state.items()
    }
