"""The likelihood of odd-one-out choices, and how triplets are split over folds of objects."""

import numpy as np
import torch

# Triplets handled at once, so that their arrays fit the cache.
CHUNK = 2**15

# Differences of similarities are cut here before exp, so that the loss stays finite.
LARGEST_DIFFERENCE = 300.0


class TripletCrossEntropy:
    """Mean cross-entropy of the kept pairs under a softmax over three similarities, a function of all similarities.

    Parameters
    ----------
    triplets : (n, 3) integer array
        Columns 0 and 1 are the kept pair.
    n_objects : int
    device : str
    """

    def __init__(self, triplets, n_objects, device="cpu"):
        first, second, odd = np.asarray(triplets, dtype=np.int64).T
        # Neighbouring triplets then look up neighbouring similarities.
        order = np.lexsort((odd, second, first))
        first, second, odd = first[order], second[order], odd[order]
        flat = (first * n_objects + second, first * n_objects + odd, second * n_objects + odd)
        self._pairs = [torch.from_numpy(index).to(device) for index in flat]
        self._slopes = [torch.empty(len(order), dtype=torch.float64, device=device) for _ in flat]
        self.n, self.n_objects = len(order), n_objects

    def __call__(self, similarity):
        """Return the loss and its gradient: (n, n) similarities to float, (n, n) symmetric tensor.

        The gradient is that of the symmetric matrix whose two halves move together, so that d loss = sum of
        gradient * d similarity / 2.
        """
        flat, loss = similarity.reshape(-1), 0.0
        for start in range(0, self.n, CHUNK):
            part = slice(start, start + CHUNK)
            kept, *others = (flat.take(index[part]) for index in self._pairs)
            odds = [torch.exp(torch.clamp(other - kept, max=LARGEST_DIFFERENCE)) for other in others]
            total = 1 + odds[0] + odds[1]
            loss += float(total.log().sum())
            for slope, odd in zip(self._slopes[1:], odds, strict=True):
                torch.div(odd, total, out=slope[part])
            self._slopes[0][part] = 1 / total - 1
        gradient = sum(
            torch.bincount(index, slope, minlength=self.n_objects**2)
            for index, slope in zip(self._pairs, self._slopes, strict=True)
        )
        gradient = gradient.view(self.n_objects, self.n_objects) / self.n
        return loss / self.n, gradient + gradient.T


def object_folds(n_objects, folds, seed):
    """(n_objects,) fold of each object: random, of equal sizes up to one."""
    return np.random.default_rng(seed).permutation(np.arange(n_objects) % folds)


def split_triplets(triplets, fold_of_object, fold):
    """Training and held-out triplets of one fold, as boolean masks.

    A triplet trains if none of its objects is in the fold, and is held out if all three are. The others are in neither
    set: they would carry what was learnt about an object into its test.
    """
    inside = (fold_of_object[triplets] == fold).sum(axis=1)
    return inside == 0, inside == 3


def training_objects(fold_of_object, fold):
    """Indices of the objects that train while `fold` is held out."""
    return np.flatnonzero(fold_of_object != fold)
