"""Find a network's weights in what a training loop saved: inside dictionaries, under prefixes, beside an average."""

import logging
import re
from collections import Counter
from dataclasses import dataclass

import torch

from repalign.errors import InputError, listed

log = logging.getLogger(__name__)

# Wrappers that add a part of their own to names, wherever they stand (DDP, torch.compile, FSDP, checkpointing).
WRAPPERS = {"_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module", "_forward_module"}
# An exponential moving average of the weights; where there is one, it is what its authors evaluate.
AVERAGES = {"ema", "averaged", "avg", "swa"}
# Of two networks that fit equally well, the one that is not meant: the momentum encoder of MoCo, the target of BYOL,
# the student of DINO.
SECONDARY = ("encoder_k", "momentum", "target", "student")
# Beside the weights: what an optimiser keeps of each of them has their names too.
NO_WEIGHTS = re.compile("optim|^grad|scheduler|scaler", re.IGNORECASE)


# Below this share of its names a checkpoint is not of the architecture at all.
FITTING = 0.1


@dataclass(frozen=True)
class Found:
    """Weights that fit: where they lie, the prefix of their names, and the names without it."""

    path: tuple[str, ...]
    prefix: str
    state: dict[str, torch.Tensor]
    matched: int

    @property
    def parts(self):
        """Every part of where it lies, in lower case."""
        return [part.lower() for step in (*self.path, *self.prefix.split(".")) for part in step.split(".")]

    @property
    def averaged(self):
        return any(AVERAGES & set(re.split("[-_]", part)) for part in self.parts)

    @property
    def secondary(self):
        return any(word in part for part in self.parts for word in SECONDARY)

    def __str__(self):
        names = (".".join(self.path), self.prefix)
        return ", ".join(f"'{name}'" for name in names if name)


def find_state(checkpoint, module, *, path, model):
    """The weights of an architecture in a checkpoint, under the architecture's own names.

    Dictionaries are searched to any depth, wrappers (`module.`, `_orig_mod.`) and prefixes (`model.`, `backbone.`, in
    any order) removed. A moving average wins over the raw weights; what was taken is logged.

    Parameters
    ----------
    checkpoint : what `repalign.models.weights.read_state` returns
    module : torch.nn.Module
    path, model : for messages

    Returns
    -------
    dict of name to tensor: everything under the prefix of the weights, and what of the architecture lies beside it

    Raises
    ------
    InputError
        Nothing fits; the sentence says which keys the file holds.
    """
    own = module.state_dict()
    found = [candidate for place, state in _states(checkpoint) for candidate in _fits(place, state, own)]
    best = max((candidate.matched for candidate in found), default=0)
    if best < FITTING * len(own):
        raise InputError(_nothing(checkpoint, path, model))
    buffers = len(own) - sum(1 for _ in module.named_parameters())
    fitting = [candidate for candidate in found if candidate.matched >= max(1, best - buffers)]
    raw = min(
        (candidate for candidate in fitting if candidate.matched == best),
        key=lambda candidate: (candidate.averaged, candidate.secondary),
    )
    averages = [candidate for candidate in fitting if candidate.averaged]
    chosen = max(averages, key=lambda candidate: candidate.matched, default=raw)
    state = chosen.state
    if chosen.averaged and chosen is not raw:
        log.info(
            "%s: the moving average in %s is read, not the raw weights in %s", path, chosen, str(raw) or "it"
        )
        if missing := [name for name in own if name not in state and name in raw.state]:
            log.info("%s: %d buffers that the average lacks are those of the raw weights", path, len(missing))
            state = state | {name: raw.state[name] for name in missing}
    elif str(chosen):
        log.info("%s: the weights are those in %s", path, chosen)
    if others := [c for c in fitting if c not in (chosen, raw) and c.matched == best]:
        log.info("%s: weights that would fit too are not read: %s", path, ", ".join(map(str, others)))
    return state


def _states(node, path=()):
    """Every dictionary of tensors inside a checkpoint, and where it lies."""
    if isinstance(node, list | tuple):
        node = {str(i): item for i, item in enumerate(node)} if len(node) < 100 else {}
    if not isinstance(node, dict):
        return
    tensors = {
        key: value for key, value in node.items() if isinstance(key, str) and isinstance(value, torch.Tensor)
    }
    if tensors:
        yield path, tensors
    for key, value in node.items():
        if isinstance(value, dict | list | tuple) and not NO_WEIGHTS.search(str(key)):
            yield from _states(value, (*path, str(key)))


def _fits(path, state, own):
    """A state under each prefix that gives names of the architecture, best first; at most a few."""
    dropped = WRAPPERS | ({"module"} if not any("module" in name.split(".") for name in own) else set())
    plain = {_without(name, dropped): name for name in state}
    counts = Counter()
    for name in plain:
        parts = name.split(".")
        for start in range(len(parts)):
            if ".".join(parts[start:]) in own:
                counts[".".join(parts[:start])] += 1
    most = max(counts.values(), default=0)
    for prefix, matched in counts.items():
        if 2 * matched > most:
            begin = f"{prefix}." if prefix else ""
            inside = {name[len(begin) :]: state[old] for name, old in plain.items() if name.startswith(begin)}
            beside = {
                name: state[old] for name, old in plain.items() if name in own and not name.startswith(begin)
            }
            yield Found(path, begin, beside | inside, matched)


def _without(name, dropped):
    """A name without the parts of wrappers; a name that is nothing else stays."""
    return ".".join(part for part in name.split(".") if part not in dropped) or name


def _nothing(checkpoint, path, model):
    """The sentence about a file in which nothing fits."""
    names = [name for _, state in _states(checkpoint) for name in state]
    if not isinstance(checkpoint, dict):
        keys = f"it is a {type(checkpoint).__name__}"
    else:
        keys = f"its keys are {listed(checkpoint, 8)}" if checkpoint else "it is an empty dictionary"
    tensors = f", with tensors such as {listed(names, 3)}" if names and names != list(checkpoint) else ""
    return (
        f"{path} holds no weights that fit the architecture of model {model}: {keys}{tensors}; correct the columns "
        "identifier or weights."
    )
