"""How exactly networks compute."""

import contextlib
import ctypes
import sys

import torch

from repalign.errors import InputError

PRECISIONS = {"fp32": None, "bf16": torch.bfloat16, "fp16": torch.float16}


@contextlib.contextmanager
def deterministic():
    """TF32 off and deterministic algorithms, for the duration; the settings found are restored."""
    backends = torch.backends
    before = (
        backends.cuda.matmul.allow_tf32,
        backends.cudnn.allow_tf32,
        backends.cudnn.benchmark,
        backends.cudnn.deterministic,
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
    )
    backends.cuda.matmul.allow_tf32 = backends.cudnn.allow_tf32 = backends.cudnn.benchmark = False
    backends.cudnn.deterministic = True
    torch.use_deterministic_algorithms(True, warn_only=True)
    try:
        yield
    finally:
        backends.cuda.matmul.allow_tf32, backends.cudnn.allow_tf32 = before[:2]
        backends.cudnn.benchmark, backends.cudnn.deterministic = before[2:4]
        torch.use_deterministic_algorithms(before[4], warn_only=before[5])


def run_in_halves(function, batch, size):
    """Apply `function` to parts of a batch, halving their size whenever memory runs out.

    Parameters
    ----------
    function : callable, (images, ...) tensor -> dict of tensors
    batch : tensor
    size : int
        The part to begin with.

    Returns
    -------
    (dict of tensors for the whole batch, int: the size that fitted)
    """
    parts, start = [], 0
    while start < len(batch):
        try:
            parts.append(function(batch[start : start + size]))
            start += size
        except torch.OutOfMemoryError:
            if size == 1:
                raise InputError(
                    "One image alone does not fit into the memory of the device; use another device, or fewer layers."
                ) from None
            size = max(1, min(size, len(batch)) // 2)
            if batch.device.type == "cuda":
                torch.cuda.empty_cache()
    if len(parts) == 1:
        return parts[0], size
    return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}, size


def autocast(device, precision):
    """Context of automatic mixed precision; none for fp32."""
    if PRECISIONS[precision] is None:
        return contextlib.nullcontext()
    return torch.autocast(device.type, dtype=PRECISIONS[precision])


def return_freed_memory():
    """Give freed memory back to the system, where the C library is glibc.

    Before glibc 2.39 an aligned allocation may never fit into the hole that one of its size left, and tensors are
    aligned: a loop over batches would grow without end (glibc bugs 14581 and 30723).
    """
    library = ctypes.CDLL(None) if sys.platform == "linux" else None
    if hasattr(library, "malloc_trim"):
        library.malloc_trim(0)
