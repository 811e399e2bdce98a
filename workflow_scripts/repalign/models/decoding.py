"""Decode and preprocess images in worker processes."""

import sys
from dataclasses import dataclass

import torch
from torch.utils.data import DataLoader, Dataset

from repalign.inputs.pixels import read_rgb


@dataclass(frozen=True)
class Batch:
    """Decoded images.

    Attributes
    ----------
    rows : list of int
        Which images of the set were decoded.
    images : tensor or None
        As the network wants them; None where none could be decoded.
    bad : list of (row, reason)
    done : list of (row, tuple of what was done to the image beside decoding it, see `repalign.inputs.pixels`)
    """

    rows: list[int]
    images: torch.Tensor | None
    bad: list[tuple[int, str]]
    done: list[tuple[int, tuple[str, ...]]]

    def __len__(self):
        return len(self.rows) + len(self.bad)

    def pin_memory(self):
        """The same batch with its images in memory from which a device copies at once."""
        images = None if self.images is None else self.images.pin_memory()
        return Batch(self.rows, images, self.bad, self.done)


class _Images(Dataset):
    """Decode and preprocess; a bad image comes back as the reason in place of a tensor."""

    def __init__(self, image_set, preprocess):
        self.image_set, self.preprocess = image_set, preprocess

    def __len__(self):
        return len(self.image_set)

    def __getitem__(self, row):
        try:
            image, done = read_rgb(self.image_set.paths[row])
            return row, self.preprocess(image), done
        except (OSError, ValueError) as error:
            return row, (str(error) or type(error).__name__).splitlines()[0], ()


def _collate(items):
    good = [(row, tensor) for row, tensor, _ in items if isinstance(tensor, torch.Tensor)]
    images = torch.stack([tensor for _, tensor in good]) if good else None
    bad = [(row, reason) for row, reason, _ in items if isinstance(reason, str)]
    return Batch([row for row, _ in good], images, bad, [(row, done) for row, _, done in items if done])


def loader(network, image_set, *, batch_size, workers, pin_memory=False):
    """An iterable of `Batch`: decoded, preprocessed images, in order."""
    # Workers are forked, since other ways of starting a process run the calling script anew, which a rule's script
    # forbids. Elsewhere than on Linux forking is not safe and images are decoded in this process.
    workers = workers if sys.platform == "linux" else 0
    return DataLoader(
        _Images(image_set, network.preprocess),
        batch_size=batch_size,
        num_workers=workers,
        collate_fn=_collate,
        pin_memory=pin_memory,
        multiprocessing_context="fork" if workers else None,
        prefetch_factor=2 if workers else None,
    )
