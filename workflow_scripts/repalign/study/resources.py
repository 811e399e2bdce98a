"""Memory and time that a job requests from a cluster, estimated from the size of its task.

Each retry requests twice as much. Memory is in MB (10^6 bytes), time in minutes. The constants are upper estimates: a
request that is too small costs a failed attempt, one that is a little too large only a longer wait in the queue.
"""

import math
import re

# An interpreter with torch, and the snakemake process that runs the job.
BASE_MB = 1200
BASE_MINUTES = 10
# A CUDA context and the work space of its libraries.
BASE_GPU_MB = 2000
# Millions of parameters by the word for the size in a model's name; most models without such a word have less than 100.
SIZES = {
    "gigantic": 2500,
    "bigg": 2500,
    "giant": 1300,
    "huge": 700,
    "large": 350,
    "xxlarge": 900,
    "xlarge": 400,
}
LETTERS = {"g": 1300, "h": 700, "l": 350}
MILLIONS = 100


def parameters(name: str) -> int:
    """Millions of parameters of a model, guessed from its identifier.

    >>> parameters("vit_large_patch16_224"), parameters("ViT-H-14:laion2b"), parameters("resnet50")
    (350, 700, 100)
    """
    words = re.split(r"[^a-z]+", name.lower())
    guesses = [SIZES[word] for word in words if word in SIZES]
    # ViT-L-14, vit_h_14: a letter counts only directly after the family name.
    guesses += [LETTERS[m] for m in re.findall(r"vit[-_]([lhg])(?![a-z])", name.lower())]
    return max(guesses, default=MILLIONS)


def doubled(amount: float, attempt: int) -> int:
    """The amount to request at this attempt (1, 2, ...), as a whole number."""
    return math.ceil(amount) * 2 ** (attempt - 1)


def alignment(n: int, trials: int, attempt: int = 1) -> dict[str, int]:
    """Resources of one GWOT alignment of n objects: about thirty n x n matrices in memory, ten of them on the GPU."""
    matrix = 8 * n * n / 1e6
    return {
        "mem_mb": doubled(BASE_MB + 30 * matrix, attempt),
        "runtime": doubled(BASE_MINUTES + trials * (n / 1000) ** 2, attempt),
        "gpu_mb": doubled(BASE_GPU_MB + 10 * matrix, attempt),
    }


def extraction(millions: int, n_images: int, n_layers: int, attempt: int = 1) -> dict[str, int]:
    """Resources of extracting embeddings from a network with so many million parameters."""
    return {
        "mem_mb": doubled(3 * BASE_MB + 8 * millions, attempt),
        "runtime": doubled(2 * BASE_MINUTES + n_images * (1 + millions / 100) / 3000, attempt),
        "gpu_mb": doubled(BASE_GPU_MB + 24 * millions + 20 * n_layers, attempt),
    }


def layers(n: int, n_layers: int, attempt: int = 1, matrices: int = 6) -> dict[str, int]:
    """Resources of a job over the layers of a model: its features, and a few n x n matrices at a time."""
    features = n_layers * n * 4096 * 4 / 1e6
    return {
        "mem_mb": doubled(BASE_MB + 2 * features + matrices * 8 * n * n / 1e6, attempt),
        "runtime": doubled(BASE_MINUTES + 0.5 * n_layers * (n / 1000) ** 2, attempt),
    }
