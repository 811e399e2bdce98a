"""What a source hands over: which network a sheet row asks for, and the loaded network."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import torch
from torch import nn

from repalign.errors import InputError
from repalign.inputs.preprocessing import declared

# Names that move: what they point to tomorrow is not what was measured today.
MOVING = {"main", "master", "head", "latest", "default"}


@dataclass(frozen=True)
class ModelSpec:
    """One row of the model sheet, as far as loading needs it.

    Attributes
    ----------
    model : str
        The row's own name, for messages.
    source : str
        `torchvision`, `timm`, `open_clip`, `transformers` or `checkpoint`.
    identifier : str
        Architecture, hub repository or local folder, in the source's own spelling.
    weights : str
        Weights enum member, tag, URL or file; `random:<seed>` for a random initialisation; empty where the
        identifier alone names the weights.
    revision : str
        Hub commit (40 hex digits) or sha256 (64 digits, or the first 8 or more that the publisher gives).
    preprocessing : str
        See `repalign.inputs.preprocessing.parse`; empty where the library or the folder of the weights says it.
    """

    model: str
    source: str
    identifier: str
    weights: str = ""
    revision: str = ""
    preprocessing: str = ""

    @classmethod
    def of_row(cls, model, row):
        """From a row of the model sheet."""
        fields = ("source", "identifier", "weights", "revision", "preprocessing")
        return cls(model, **{field: row.get(field, "") for field in fields})

    def declared_preprocessing(self):
        """What the row declares, or None; `InputError` where it must and does not."""
        return declared(vars(self), f"Model {self.model}")

    def __post_init__(self):
        if self.revision.lower() in MOVING or self.weights.lower() in MOVING:
            raise InputError(
                f"Model {self.model} asks for '{self.revision or self.weights}', which moves; pin a commit or a "
                "sha256 in `revision`, or a fixed name in `weights`."
            )
        if self.revision and not re.fullmatch(r"[0-9a-f]{8,64}", self.revision):
            raise InputError(
                f"Model {self.model} has the revision '{self.revision}'; give a hub commit of 40 hex digits or "
                "a sha256 in lower case."
            )

    @property
    def random_seed(self):
        """The seed of a random initialisation, or None for trained weights."""
        match = re.fullmatch(r"random:(\d+)", self.weights)
        if match is None and self.weights.startswith("random"):
            raise InputError(
                f"Model {self.model} has weights '{self.weights}'; write random:<seed>, e.g. random:0."
            )
        return int(match.group(1)) if match else None


@dataclass(frozen=True)
class Network:
    """A network in evaluation mode with all that is needed to read its layers.

    Attributes
    ----------
    module : torch.nn.Module
        Its submodules, by `named_modules`, are layers.
    preprocess : callable
        RGB image (PIL) -> (3, height, width) float32 tensor; can be pickled.
    call : callable
        `call(batch, wanted)` runs one forward pass and returns those of `outputs` that are wanted.
    outputs : tuple of str
        Layers that are no submodule: hidden states, projections.
    prefix_tokens : int
        Tokens before the patches (class, distillation and register tokens).
    class_token : bool
        Whether the first of them is a class token.
    scores : torch.nn.Module or None
        Scores the classes that the network was trained with: the module, or the one that it is part of.
    classifier : torch.nn.Linear or None
        The last layer of `scores`.
    classes : tuple of str
        Names of the classes, where the weights say them.
    description : dict
        What was loaded: weights file, sha256, commit, preprocessing, library versions.
    """

    module: nn.Module
    preprocess: Callable
    call: Callable[[torch.Tensor, frozenset], Mapping[str, torch.Tensor]]
    outputs: tuple[str, ...] = ()
    prefix_tokens: int = 0
    class_token: bool = False
    scores: nn.Module | None = None
    classifier: nn.Linear | None = None
    classes: tuple[str, ...] = ()
    description: dict = field(default_factory=dict)

    def __post_init__(self):
        self.module.eval().requires_grad_(False)

    @property
    def layers(self):
        """Names of everything that can be read, in the order of the forward definition."""
        return self.outputs + tuple(name for name, _ in self.module.named_modules() if name)

    def classifying(self, scores, linear, classes=()):
        """The same network with its classifier; unchanged where that is not linear."""
        if not isinstance(linear, nn.Linear):
            return self
        return replace(self, scores=scores.eval(), classifier=linear, classes=tuple(classes))

    def described(self, **facts):
        """The same network with more facts in its description."""
        return replace(self, description={**self.description, **facts})


class PlainCall:
    """Run the module; it has no layers beside its submodules."""

    def __init__(self, module):
        self.module = module

    def __call__(self, batch, wanted=frozenset()):
        self.module(batch)
        return {}


def seeded(seed, build):
    """Build a module whose random initial weights depend on `seed` alone; the global generators stay untouched."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return build()
