"""Decode and preprocess images in worker processes."""

import sys
import warnings

import torch
from PIL import Image, UnidentifiedImageError
from torch.utils.data import DataLoader, Dataset


class _Images(Dataset):
    """Decode and preprocess; a bad image comes back as the reason in place of a tensor."""

    def __init__(self, image_set, preprocess):
        self.image_set, self.preprocess = image_set, preprocess

    def __len__(self):
        return len(self.image_set)

    def __getitem__(self, row):
        try:
            with warnings.catch_warnings():
                # Pillow only warns of a file that would fill the memory.
                warnings.simplefilter("error", Image.DecompressionBombWarning)
                with Image.open(self.image_set.paths[row]) as image:
                    return row, self.preprocess(image.convert("RGB"))
        except FileNotFoundError:
            return row, "it does not exist"
        except (
            UnidentifiedImageError,
            Image.DecompressionBombError,
            Image.DecompressionBombWarning,
        ) as error:
            return row, str(error).splitlines()[0]
        except (OSError, SyntaxError, ValueError, EOFError) as error:
            return row, f"{error}".splitlines()[0] if str(error) else type(error).__name__


def _collate(items):
    good = [(row, tensor) for row, tensor in items if isinstance(tensor, torch.Tensor)]
    bad = [(row, reason) for row, reason in items if isinstance(reason, str)]
    rows = [row for row, _ in good]
    return rows, torch.stack([tensor for _, tensor in good]) if good else None, bad


def loader(network, image_set, *, batch_size, workers, pin_memory=False):
    """Batches of decoded, preprocessed images, in order: (rows, tensor or None, [(row, reason) of bad images])."""
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
