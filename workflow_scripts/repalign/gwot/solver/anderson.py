"""Anderson acceleration of a batch of fixed-point iterations."""

import torch

NOISE = 8  # units in the last place; smaller differences are rounding errors and must not get large weights
DAMPING = 1e-8  # of the least-squares problem, relative to its largest diagonal entry


class Anderson:
    """Combine the last images of a fixed-point map so that the combined residual is smallest.

    Each member of the batch has its own history, which begins anew where a residual has doubled.

    Parameters
    ----------
    window : int
        How many differences of successive steps are kept.

    References
    ----------
    Walker & Ni (2011), SIAM Journal on Numerical Analysis 49, 1715-1735 (type II).
    """

    def __init__(self, window):
        self.window = window
        self._last, self._count = None, 0

    def mix(self, residual, image):
        """Next point of the iteration.

        Parameters
        ----------
        residual : (B, m) tensor
            Image minus point, in coordinates whose Euclidean norm is the size of the residual.
        image : (B, k) tensor
            The value of the map, in these or other coordinates.

        Returns
        -------
        Tensor like `image`.
        """
        size = torch.linalg.vector_norm(residual, dim=1)
        last, self._last = self._last, (residual, image, size)
        if last is None:
            self._allocate(residual, image)
            return image
        falling = size < 2 * last[2]
        slot = self._count % self.window
        self._count += 1
        self._valid &= falling[:, None]
        self._valid[:, slot] = falling
        self._changes[:, slot] = residual - last[0]
        self._shifts[:, slot] = image - last[1]
        if not bool(self._valid.any()):
            return image
        changes = torch.where(self._valid[..., None], self._changes, 0)
        noise = NOISE * torch.finfo(image.dtype).eps
        weights = _least_squares(changes, residual.double()[..., None], self._valid, noise)[..., 0]
        weights = torch.where(self._valid, weights, 0).to(image.dtype)
        return image - torch.bmm(weights[:, None], self._shifts)[:, 0]

    def _allocate(self, residual, image):
        shape = len(image), self.window
        self._changes = residual.new_zeros(*shape, residual.shape[1], dtype=torch.float64)
        self._shifts = image.new_zeros(*shape, image.shape[1])
        self._valid = torch.zeros(shape, dtype=torch.bool, device=image.device)


def _least_squares(rows, right, valid, noise):
    """Weights w (B, m, k) that bring rows' w closest to `right`; rows (B, m, d) that are not valid get weight 0."""
    gram = rows @ rows.transpose(1, 2)
    damping = (DAMPING * gram.diagonal(dim1=1, dim2=2).amax(1, keepdim=True)).clamp_min(noise**2)
    gram = gram + torch.diag_embed(damping + (~valid).double() * damping.clamp_min(1))
    return torch.linalg.solve_ex(gram, rows @ right)[0]
