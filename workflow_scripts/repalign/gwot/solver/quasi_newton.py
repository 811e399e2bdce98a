"""Limited-memory quasi-Newton steps for the outer iteration, with a guard that the objective never rises."""

import torch

START = (
    0.1  # change of the log plan below which steps are accelerated; above, a start has not chosen its basin
)
WINDOW = 10  # pairs of steps and changes of the gradient that are kept
LARGEST = 2**25  # entries of one array of such pairs
CURVATURE = 1e-4  # least curvature along a step, relative to that of the plain iteration, for it to be used
STEP_LIMIT = 1.0  # most that an accelerated step may change the log plan, root mean square
SHRINK, GROW = 0.25, 2.0  # the limit after a step that was taken back, and after one that was not
ROUNDING = 2  # units in the last place by which the objective may rise: it is not known more precisely
SHORTEST = 0.1  # share of the plain step below which a step is not shortened any further


class QuasiNewton:
    """Choose the next point of a fixed-point iteration that descends an objective (L-BFGS).

    The map of the outer iteration, N -> M(N), is a gradient step of length one in the inner product (x, y) = <x, dual
    of y>: the gradient is N - M(N). Where the plain iteration creeps, because the gradient hardly changes along some
    direction, the pairs of steps and gradient changes seen so far tell how far to go. A step after which the
    objective is higher is taken back: the plain step follows, and then shorter and shorter ones. Directions of
    negative curvature are left to the plain iteration, which moves away from saddles.

    Every member of the batch has its own history. All tensors are (B, m).

    Parameters
    ----------
    log_change : callable
        Root mean square changes (B,) of the log plan that changes of the point make.

    References
    ----------
    Nocedal & Wright (2006), Numerical Optimization, section 7.2.
    """

    def __init__(self, log_change):
        self.log_change = log_change
        self._objective, self._count = None, 0

    def keep(self, mask):
        """Keep only some members of the batch."""
        for name, value in vars(self).items():
            if isinstance(value, torch.Tensor):
                setattr(self, name, value[mask])

    def next(self, point, image, dual, change, objective):
        """Next point at which to evaluate the map.

        Parameters
        ----------
        point, image : (B, m) tensors
            Where the map was evaluated (what this method returned last), and its value there.
        dual : (B, m) tensor
            Of the image.
        change : (B,) tensor
            Root mean square change of the log plan from point to image.
        objective : (B,) float64 tensor
            At the image, in units of epsilon.
        """
        residual = image - point
        if self._objective is None:
            self._begin(point, residual, dual, change, objective)
            return image
        slack = ROUNDING * torch.finfo(point.dtype).eps * self._objective.abs().clamp(min=10)
        accepted = (objective <= self._objective + slack) | (self._length < SHORTEST)
        near = (change < START) & (self._change < START)
        step, bend = point - self._point, self._residual - residual
        residual_dual = dual - self._trial_dual
        step_dual, bend_dual = self._trial_dual - self._dual, self._residual_dual - residual_dual
        self._remember(accepted & near & self._known, step, bend, step_dual, bend_dual)
        self._valid &= (near | ~accepted)[:, None]

        self._set(accepted, _point=point, _residual=residual, _dual=self._trial_dual)
        self._set(accepted, _residual_dual=residual_dual, _objective=objective, _change=change)
        self._known |= accepted
        trust = torch.where(accepted, GROW * self._limit, SHRINK * self._size)
        self._limit = torch.where(self._accelerated, trust.clamp(max=STEP_LIMIT), self._limit)
        # After a step that was taken back: the plain step, then shorter ones.
        shorter = torch.where(self._length == torch.inf, 1.0, self._length / 2)
        self._length = torch.where(accepted, torch.inf, shorter)
        return self._propose()

    @property
    def best(self):
        """Image of the last point that was accepted."""
        return self._point + self._residual

    def _begin(self, point, residual, dual, change, objective):
        window = max(3, min(WINDOW, LARGEST // point[0].numel()))
        self._point, self._residual, self._change, self._objective = point, residual, change, objective
        self._dual, self._residual_dual = torch.zeros_like(dual), torch.zeros_like(dual)
        self._trial_dual = dual
        self._known = torch.zeros_like(change, dtype=torch.bool)  # whether the dual of the point is
        self._length = torch.ones_like(change)
        self._limit, self._size = STEP_LIMIT * self._length, self._length
        self._accelerated = self._known
        shape = len(point), window, point.shape[1]
        self._steps, self._bends = point.new_zeros(shape), point.new_zeros(shape)
        self._step_duals, self._bend_duals = point.new_zeros(shape), point.new_zeros(shape)
        self._products = point.new_ones(shape[:2])
        self._valid = torch.zeros(shape[:2], dtype=torch.bool, device=point.device)

    def _set(self, mask, **values):
        for name, value in values.items():
            before = getattr(self, name)
            setattr(self, name, torch.where(mask[:, None] if value.dim() == 2 else mask, value, before))

    def _remember(self, mask, step, bend, step_dual, bend_dual):
        product, size = (step_dual * bend).sum(1), (step_dual * step).sum(1)
        mask = mask & (product > CURVATURE * size) & (size > 0)
        if not bool(mask.any()):
            return
        slot = self._count % self._valid.shape[1]
        self._count += 1
        self._steps[:, slot], self._bends[:, slot] = step, bend
        self._step_duals[:, slot], self._bend_duals[:, slot] = step_dual, bend_dual
        self._products[:, slot], self._valid[:, slot] = torch.where(mask, product, 1.0), mask

    def _propose(self):
        """The accelerated step where the last point was accepted, else a share of the plain step."""
        direction, dual = self._two_loops()
        descends = (dual * self._residual).sum(1) > 0
        plain = ~descends | ~self._valid.any(1) | (self._length <= 1)
        length = torch.where(self._length <= 1, self._length, 1.0)
        direction = torch.where(plain[:, None], self._residual, direction)
        dual = torch.where(plain[:, None], self._residual_dual, dual)
        size = self.log_change(direction)
        length = torch.where(plain, length, torch.minimum(length, self._limit / size))
        self._accelerated, self._size = ~plain, length * size
        length = length[:, None]
        # What follows a plain step that fails is half of it.
        self._length = torch.where(plain & (self._length > 1), 1.0, self._length)
        self._trial_dual = self._dual + length * dual
        return self._point + length * direction

    def _two_loops(self):
        """The residual times the inverse Hessian that the history implies, and its dual."""
        direction, dual = self._residual.clone(), self._residual_dual.clone()
        slots = [(self._count - 1 - age) % self._valid.shape[1] for age in range(self._valid.shape[1])]
        slots = [slot for slot in slots if bool(self._valid[:, slot].any())]
        inverse = torch.where(self._valid, 1 / self._products, 0.0)
        shares = {}
        for slot in slots:
            share = inverse[:, slot] * (self._step_duals[:, slot] * direction).sum(1)
            direction -= share[:, None] * self._bends[:, slot]
            dual -= share[:, None] * self._bend_duals[:, slot]
            shares[slot] = share
        for slot in reversed(slots):
            share = shares[slot] - inverse[:, slot] * (self._bend_duals[:, slot] * direction).sum(1)
            direction += share[:, None] * self._steps[:, slot]
            dual += share[:, None] * self._step_duals[:, slot]
        return direction, dual
