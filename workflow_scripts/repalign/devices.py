"""Which device computes."""

import torch

from repalign.errors import InputError


def choose_device(name, kinds=("cuda", "mps", "cpu")):
    """`auto` as the first of `kinds` that the machine has; another name as it is, if the machine has it."""
    present = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    there = [kind for kind in kinds if present[kind]]
    if name == "auto":
        return there[0]
    if name.partition(":")[0] not in there:
        raise InputError(
            f"The device '{name}' is not on this machine; use auto or one of {', '.join(there)}."
        )
    return name
