"""Anderson acceleration of a batch of fixed-point iterations."""

import torch

EXPANDING = 1e-3  # eigenvalue of the map, minus 1, from which a direction counts as expanding


class Anderson:
    """Mix the last images of a fixed-point map so that the mixed residual is smallest.

    Each member of the batch has its own history, used once its residual has fallen below `start` and for as long as
    it keeps falling: away from a fixed point a mixed step could leave the basin that the plain iteration would reach.
    Nor is it used while the history shows an expanding direction: the plain iteration leaves a saddle, a mixed one
    would settle on it.

    Parameters
    ----------
    window : int
        Differences kept.
    start : float
        Size of the residual below which mixing begins.

    References
    ----------
    Walker & Ni (2011), SIAM Journal on Numerical Analysis 49, 1715-1735 (type II).
    """

    def __init__(self, window=6, start=0.1):
        self.window, self.start = window, start
        self._points, self._residuals, self._images, self._sizes = [], [], [], []

    def keep(self, mask):
        """Drop the members of the batch that have ended."""
        self._points = [entry[mask] for entry in self._points]
        self._residuals = [entry[mask] for entry in self._residuals]
        self._sizes = [entry[mask] for entry in self._sizes]
        self._images = [tuple(part[mask] for part in entry) for entry in self._images]

    def mix(self, point, residual, image):
        """Next point of the iteration.

        Parameters
        ----------
        point, residual : (B, m) tensors
            Where the map was evaluated, and image minus point, in coordinates whose Euclidean norm is the size of
            the residual.
        image : tuple of (B, ...) tensors
            What the map returned; all parts are mixed alike.
        """
        size = torch.linalg.vector_norm(residual, dim=1)
        sound = size < self.start
        if self._sizes:
            sound &= size < 2 * self._sizes[-1]
        self._points.append(point)
        self._residuals.append(residual)
        self._images.append(image)
        # A residual that jumped up closes the history behind it: infinite entries get no weight below.
        self._sizes = [torch.where(sound, entry, torch.inf) for entry in self._sizes]
        self._sizes.append(size)
        if len(self._sizes) > self.window + 1:
            del self._points[0], self._residuals[0], self._images[0], self._sizes[0]
        if len(self._sizes) < 2 or not bool(sound.any()):
            return image
        return self._mixed(sound)

    def _mixed(self, sound):
        last = self._residuals[-1].double()[..., None]
        valid = torch.stack([torch.isfinite(entry) & (entry < self.start) for entry in self._sizes[:-1]], 1)
        changes = _differences(self._residuals, valid)
        weights = _least_squares(changes, last, valid)[..., 0]
        moves = _differences(self._points, valid)
        slopes = torch.linalg.eigvals(_least_squares(moves, changes.transpose(1, 2), valid)).real.amax(1)
        weights = torch.where(valid & (sound & (slopes < EXPANDING))[:, None], weights, 0)
        mixed = []
        for position, part in enumerate(self._images[-1]):
            total = part.clone()
            for j, entry in enumerate(self._images[:-1]):
                total -= _like(weights[:, j], part) * (part - entry[position])
            mixed.append(total)
        return tuple(mixed)


def _differences(entries, valid):
    differences = torch.stack([entries[-1] - entry for entry in entries[:-1]], 1)
    return torch.where(valid[..., None], differences, 0).double()


def _least_squares(rows, right, valid):
    """Weights w (B, m, k) that make rows' w closest to `right`; rows (B, m, d) that are not valid get none."""
    gram = rows @ rows.transpose(1, 2)
    damping = 1e-8 * gram.diagonal(dim1=1, dim2=2).amax(1, keepdim=True).clamp_min(1e-300)
    gram = gram + torch.diag_embed(damping + (~valid).double() * damping.clamp_min(1))
    return torch.linalg.solve(gram, rows @ right)


def _like(weights, part):
    return weights.to(part.dtype).reshape(-1, *[1] * (part.dim() - 1))
