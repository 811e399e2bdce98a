"""Anderson acceleration of a batch of fixed-point iterations."""

import math

import torch

EXPANDING = 1e-3  # eigenvalue of the map, minus 1, from which a direction counts as expanding
NOISE = 8  # units in the last place; smaller differences are rounding errors and must not get large weights
DAMPING = 1e-8  # of the least-squares problem, relative to its largest diagonal entry


class Anderson:
    """Combine the last images of a fixed-point map so that the combined residual is smallest.

    Each member of the batch has its own history. It is used while the residual is below `start` and does not double:
    far from a fixed point an accelerated step could leave the basin that the plain iteration would reach.

    Parameters
    ----------
    window : int
        How many differences of successive steps are kept.
    start : float
        Size of the residual below which acceleration begins.
    escape : bool
        Take the plain step while the history shows an expanding direction: the plain iteration leaves a saddle, the
        accelerated one would converge to it. Maps that only contract need no such check.

    References
    ----------
    Walker & Ni (2011), SIAM Journal on Numerical Analysis 49, 1715-1735 (type II).
    """

    def __init__(self, window=6, start=math.inf, escape=False):
        self.window, self.start, self.escape = window, start, escape
        self._last, self._count = None, 0

    def keep(self, mask):
        """Keep only some members of the batch."""
        if self._last is None:
            return
        self._last = tuple(entry[mask] for entry in self._last)
        for name in ("_moves", "_changes", "_shifts", "_valid"):
            setattr(self, name, getattr(self, name)[mask])

    def mix(self, point, residual, image=None):
        """Next point of the iteration.

        Parameters
        ----------
        point, residual : (B, m) tensors
            Where the map was evaluated, and image minus point, in coordinates whose Euclidean norm is the size of
            the residual.
        image : (B, k) tensor, optional
            The value of the map, if in other coordinates.

        Returns
        -------
        Tensor like `image`.
        """
        image = point + residual if image is None else image
        size = torch.linalg.vector_norm(residual, dim=1)
        last, self._last = self._last, (point, residual, image, size)
        if last is None:
            self._allocate(point, image)
            return image
        sound = (size < self.start) & (size < 2 * last[3])
        slot = self._count % self.window
        self._count += 1
        # A residual that has doubled makes the history before it useless.
        self._valid &= sound[:, None]
        self._valid[:, slot] = sound & (last[3] < self.start)
        self._changes[:, slot] = residual - last[1]
        self._shifts[:, slot] = image - last[2]
        if self.escape:
            self._moves[:, slot] = point - last[0]
        if not bool(self._valid.any()):
            return image
        changes = torch.where(self._valid[..., None], self._changes, 0)
        noise = NOISE * torch.finfo(image.dtype).eps
        weights = _least_squares(changes, residual.double()[..., None], self._valid, noise)[..., 0]
        if self.escape:
            moves = torch.where(self._valid[..., None], self._moves, 0)
            matrices = _least_squares(
                moves, changes.transpose(1, 2), self._valid, noise
            ).cpu()  # small and not symmetric
            slopes = torch.linalg.eigvals(matrices).real.amax(1).to(weights.device)
            weights = torch.where((slopes < EXPANDING)[:, None], weights, 0)
        weights = torch.where(self._valid, weights, 0).to(image.dtype)
        return image - torch.bmm(weights[:, None], self._shifts)[:, 0]

    def _allocate(self, point, image):
        shape = len(point), self.window
        self._changes = point.new_zeros(*shape, point.shape[1], dtype=torch.float64)
        self._moves = torch.zeros_like(self._changes) if self.escape else self._changes[:, :0]
        self._shifts = image.new_zeros(*shape, image.shape[1])
        self._valid = torch.zeros(shape, dtype=torch.bool, device=point.device)


def _least_squares(rows, right, valid, noise):
    """Weights w (B, m, k) that bring rows' w closest to `right`; rows (B, m, d) that are not valid get weight 0."""
    gram = rows @ rows.transpose(1, 2)
    damping = (DAMPING * gram.diagonal(dim1=1, dim2=2).amax(1, keepdim=True)).clamp_min(noise**2)
    gram = gram + torch.diag_embed(damping + (~valid).double() * damping.clamp_min(1))
    return torch.linalg.solve_ex(gram, rows @ right)[0]
