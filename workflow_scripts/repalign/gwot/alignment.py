"""Align two systems without labels."""

from dataclasses import asdict, dataclass, field, fields

import numpy as np
import pandas as pd

from repalign.devices import choose_device
from repalign.errors import InputError
from repalign.gwot.problem import make_problem
from repalign.gwot.search.annealed import AnnealedSearch
from repalign.gwot.search.journal import Journal, fingerprint
from repalign.gwot.search.paper import PaperSearch
from repalign.gwot.search.runner import TrialRunner
from repalign.gwot.solver.native import NativeSolver

SOLVERS = ("native", "pot")
STRATEGIES = {"annealed": AnnealedSearch, "paper": PaperSearch}
DEVICES = ("cuda", "cpu")  # the GPUs of Apple have no float64
DTYPES = ("float32", "float64")


def epsilon_range(epsilon):
    """The ends of a range of epsilon, which may be given as one number."""
    return tuple(float(value) for value in (epsilon if np.ndim(epsilon) else [epsilon, epsilon]))


@dataclass(frozen=True)
class SearchSettings:
    """How to search for a plan.

    Attributes
    ----------
    strategy : str
        `annealed`: starts solved loosely at a large epsilon, the best annealed down and polished
        (`repalign.gwot.search.annealed`); `paper`: random starts, each solved at one epsilon picked by Optuna.
    epsilon : (float, float) or float
        Range of the entropic regularisation, searched log-uniformly; or the one value to use.
    trials : int
        Starts, at most: `annealed` ends earlier where enough of them agree (`AnnealedOptions.agree`).
    seed : int
        The same seed gives the same result on the same machine and thread count, whatever the interruptions and the
        number of workers (but not under a time budget).
    solver : str
        `native` (`repalign.gwot.solver.native`), or `pot`, the reference, which is best run in float64.
    device : str
        `auto` (CUDA where there is one), `cpu`, `cuda`, ...
    dtype : str
        `float32` or `float64`.
    time_budget : float, optional
        Seconds after which no further trial starts (one trial always runs).
    options : dict
        Options of the strategy: fields of `AnnealedOptions` or `PaperOptions`.
    """

    strategy: str = "annealed"
    epsilon: tuple | float = (1e-4, 1e-3)
    trials: int = 100
    seed: int = 0
    solver: str = "native"
    device: str = "auto"
    dtype: str = "float32"
    time_budget: float | None = None
    options: dict = field(default_factory=dict)

    def __post_init__(self):
        object.__setattr__(self, "epsilon", epsilon_range(self.epsilon))
        for value, known, what in (
            (self.strategy, STRATEGIES, "strategy"),
            (self.solver, SOLVERS, "solver"),
            (self.dtype, DTYPES, "dtype"),
        ):
            if value not in known:
                raise InputError(f"Unknown GWOT {what} '{value}'; choose one of {', '.join(known)}.")
        if len(self.epsilon) != 2 or not 0 < self.epsilon[0] <= self.epsilon[1] < np.inf:
            raise InputError(
                f"The GWOT epsilon range {self.epsilon} is not (low, high) with 0 < low <= high."
            )
        if self.trials < 1:
            raise InputError(f"GWOT needs at least 1 trial, not {self.trials}.")
        object.__setattr__(self, "options", dict(self.options or {}))
        self._check_options()

    def _check_options(self):
        known = [option.name for option in fields(STRATEGIES[self.strategy].options_type)]
        for name in self.options:
            if name not in known:
                raise InputError(
                    f"The GWOT strategy '{self.strategy}' has no option '{name}'; it takes {', '.join(known)}."
                )
        if self.options.get("hops") and self.solver != "native":
            raise InputError(f"GWOT basin hops need the native solver; '{self.solver}' has none.")

    def fingerprint(self):
        """What decides the trials, as plain values: all but the device and the time."""
        plain = {**asdict(self), "epsilon": list(self.epsilon)}
        return {name: value for name, value in plain.items() if name not in ("device", "time_budget")}

    def make_solver(self, problem):
        """The solver of a problem."""
        if self.solver == "native":
            kind = NativeSolver
        else:
            # POT loads scikit-learn, which takes longer than a small alignment.
            from repalign.gwot.solver.pot import PotSolver as kind
        return kind(problem, device=choose_device(self.device, DEVICES), dtype=self.dtype)

    def make_search(self, runner):
        """The search, with its options."""
        search = STRATEGIES[self.strategy]
        options = search.options_type(**self.options)
        return search(runner, epsilon=self.epsilon, trials=self.trials, options=options)


@dataclass(frozen=True)
class Alignment:
    """The best plan of a search, and every trial behind it.

    Attributes
    ----------
    plan : (n1, n2) array
        Transport plan with the lowest unregularised loss; total mass 1.
    loss : float
        Its unregularised loss.
    epsilon : float
        Entropic regularisation at which it was found. It lies above the range where no trial of an annealed search has
        a usable plan within; the plan is then the best of an earlier stage, and has not converged.
    converged : bool
    marginal_error : float
        Largest L1 distance of its marginals to p, q.
    trials : DataFrame
        One row per trial: trial, start, seed, epsilon, relative_epsilon (epsilon over the product of the standard
        deviations of both matrices), loss (NaN where failed), marginal_error, converged, iterations,
        inner_iterations, seconds, status (complete; pruned; failed; skipped, because enough starts agreed), reason
        (why it failed, did not converge or was skipped), stage (the last one it reached).
    """

    plan: np.ndarray
    loss: float
    epsilon: float
    converged: bool
    marginal_error: float
    trials: pd.DataFrame


def align(
    source,
    target,
    *,
    metric="cosine",
    histogram_matching=False,
    p=None,
    q=None,
    storage=None,
    rates=None,
    **settings,
):
    """Align two systems by Gromov-Wasserstein optimal transport.

    Parameters
    ----------
    source, target : (n1, d1), (n2, d2) arrays
        Embeddings; or symmetric dissimilarity matrices, with `metric="precomputed"`.
    metric : str
        One of `repalign.measures.rdm.METRICS`, or `precomputed`.
    histogram_matching : bool
        Give the target's dissimilarities the distribution of the source's first.
    p, q : arrays, optional
        Weights of the objects; uniform by default.
    storage : path, optional
        Optuna journal file. A search with the same data and settings goes on where it was, and several processes
        may share it. Without it the trials live in memory.
    rates : callable, optional
        Takes the plan in which a trial ended and returns numbers by name, which are kept with the trial. No choice
        depends on them.
    **settings
        How to search: strategy, epsilon, trials, seed, solver, device, dtype, time_budget, options, as described at
        `SearchSettings`.

    Returns
    -------
    Alignment

    Raises
    ------
    InputError
        Unusable input or settings, a storage of another search, or a search in which every trial failed.
    """
    settings = SearchSettings(**settings)
    problem = make_problem(source, target, metric=metric, histogram_matching=histogram_matching, p=p, q=q)
    stages = STRATEGIES[settings.strategy].stages
    journal = Journal(storage, fingerprint(*_arrays(problem), settings.fingerprint()), stages)
    runner = TrialRunner(
        settings.make_solver(problem),
        journal,
        seed=settings.seed,
        time_budget=settings.time_budget,
        rates=rates,
    )
    search = settings.make_search(runner)
    search.run()
    return _alignment(runner, runner.best(search.rerun), settings.epsilon)


def _arrays(problem):
    for system in (problem.source, problem.target):
        yield system.weights
        yield system.linear
        yield system.dense if system.factor is None else system.factor


def _alignment(runner, best, epsilon):
    trials = runner.frame()
    if best is None:
        failed = trials["status"] == "failed"
        reasons = ", ".join(trials["reason"][failed].value_counts().index[:3])
        pruned = f"; {(~failed).sum()} were pruned" if (~failed).any() else ""
        raise InputError(
            f"All {failed.sum()} trials{' that went on to the end' if pruned else ''} failed ({reasons}){pruned}. "
            f"Epsilon between {epsilon[0]:g} and {epsilon[1]:g} is too small where the product of the spreads of both "
            f"matrices is {runner.problem.spread:.3g}; raise epsilon."
        )
    record, plan = best
    found = {name: record[name] for name in ("loss", "epsilon", "converged", "marginal_error")}
    return Alignment(plan=plan, trials=trials, **found)
