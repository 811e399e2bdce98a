"""The products of a Gibbs kernel with scalings in a Sinkhorn sweep: with all entries, or with the large ones only."""

import numpy as np
import torch
from scipy.sparse import csr_array

NEGLIGIBLE = (
    1e-9  # share of the mass of both its row and its column below which an entry of a plan is left out
)
DENSEST = 0.05  # share of large entries above which sparse products save no time


class WholeKernel:
    """Products with all entries of kernels (B, n1, n2)."""

    whole = True

    def __init__(self, kernel):
        self.kernel = kernel

    def columns(self, u):
        """K' u, (B, n2)."""
        return torch.bmm(u[:, None], self.kernel)[:, 0]

    def rows(self, v):
        """K v, (B, n1)."""
        return torch.bmm(self.kernel, v[..., None])[..., 0]


class SparseKernel:
    """Products with the large entries of one kernel; see `sparse_kernel`."""

    whole = False

    def __init__(self, matrix):
        self.matrix, self.transposed = matrix, matrix.T.tocsr()

    def columns(self, u):
        """K' u, (1, n2)."""
        return torch.from_numpy(self.transposed @ u[0].numpy())[None]

    def rows(self, v):
        """K v, (1, n1)."""
        return torch.from_numpy(self.matrix @ v[0].numpy())[None]


def sparse_kernel(kernel, u, v, rows, columns, block=2**22):
    """The entries of a kernel that hold more than a negligible share of their row or column of the plan u K v.

    The largest entry of every row and column is always kept.

    Parameters
    ----------
    kernel : (1, n1, n2) tensor on the CPU
    u, v : (1, n1), (1, n2) tensors
        Current scalings. Later ones differ and may make other entries large, so the last sweep uses all entries.
    rows, columns : (n1,), (1, n2) tensors
        Mass of the plan in each row and column.

    Returns
    -------
    SparseKernel, or None where more than a twentieth of the entries are kept.
    """
    kernel, u, v, columns = kernel[0], u[0], v[0], columns[0]
    step = max(1, block // len(columns))
    values, places, counts = [], [], []
    for first in range(0, len(rows), step):
        here = slice(first, first + step)
        part = kernel[here]
        least = NEGLIGIBLE * torch.minimum(rows[here, None], columns) / u[here, None] / v
        chosen = part > least
        count = chosen.sum(1)
        if count.sum() > DENSEST * chosen.numel():
            return None
        values.append(part[chosen].numpy())
        places.append(chosen.nonzero()[:, 1].int().numpy())
        counts.append(count.numpy())
    starts = np.concatenate([[0], np.cumsum(np.concatenate(counts))]).astype(np.int32)
    parts = np.concatenate(values), np.concatenate(places), starts
    return SparseKernel(csr_array(parts, shape=kernel.shape))
