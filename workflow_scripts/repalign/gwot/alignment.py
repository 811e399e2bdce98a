"""Align two systems without labels: the front door of `repalign.gwot`."""

from dataclasses import dataclass
from inspect import signature

import numpy as np
import pandas as pd
import torch

from repalign.errors import InputError
from repalign.gwot.problem import make_problem
from repalign.gwot.search.annealed import STAGES as ANNEALED
from repalign.gwot.search.annealed import annealed_search
from repalign.gwot.search.journal import Journal, fingerprint
from repalign.gwot.search.paper import STAGES as PAPER
from repalign.gwot.search.paper import paper_search
from repalign.gwot.search.trials import Search
from repalign.gwot.solver.native import NativeSolver

SOLVERS = ("native", "pot")
STRATEGIES = {
    "annealed": (annealed_search, ANNEALED),
    "paper": (paper_search, PAPER),
}


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
        inner_iterations, seconds, status (complete, pruned, failed), reason, stage (the last one it reached).
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
    strategy="annealed",
    metric="cosine",
    histogram_matching=False,
    epsilon=(1e-4, 1e-3),
    trials=100,
    seed=0,
    device="auto",
    dtype="float32",
    solver="native",
    p=None,
    q=None,
    storage=None,
    time_budget=None,
    options=None,
    rates=None,
):
    """Align two systems by Gromov-Wasserstein optimal transport.

    Parameters
    ----------
    source, target : (n1, d1), (n2, d2) arrays
        Embeddings; or symmetric dissimilarity matrices, with `metric="precomputed"`.
    strategy : str
        `annealed`: starts solved loosely at a large epsilon, the best annealed down and polished
        (`repalign.gwot.search.annealed`); `paper`: random starts, each solved at one epsilon picked by Optuna.
    metric : str
        One of `repalign.measures.rdm.METRICS`, or `precomputed`.
    histogram_matching : bool
        Give the target's dissimilarities the distribution of the source's first.
    epsilon : (float, float) or float
        Range of the entropic regularisation, searched log-uniformly; or the one value to use.
    trials : int
    seed : int
        The same seed gives the same result on the same machine and thread count, whatever the interruptions and the
        number of workers (but not under a time budget).
    device : str
        `auto` (CUDA where there is one), `cpu`, `cuda`, ...
    dtype : str
        `float32` or `float64`.
    solver : str
        `native` (`repalign.gwot.solver.native`), or `pot`, the reference, which is best run in float64.
    p, q : arrays, optional
        Weights of the objects; uniform by default.
    storage : path, optional
        Optuna journal file. A search with the same data and settings goes on where it was, and several processes
        may share it. Without it the trials live in memory.
    time_budget : float, optional
        Seconds after which no further trial starts (one trial always runs).
    options : dict, optional
        Further keyword arguments of the strategy.
    rates : callable, optional
        Takes the plan in which a trial ended and returns numbers by name, which are kept with the trial. No choice
        depends on them.

    Returns
    -------
    Alignment

    Raises
    ------
    InputError
        Unusable input or settings, a storage of another search, or a search in which every trial failed.
    """
    epsilon = epsilon_range(epsilon)
    _check(strategy, solver, epsilon, trials, dtype)
    problem = make_problem(source, target, metric=metric, histogram_matching=histogram_matching, p=p, q=q)
    find, stages = STRATEGIES[strategy]
    options = _checked_options(options or {}, strategy, find, solver)
    settings = {
        "strategy": strategy,
        "epsilon": [float(value) for value in epsilon],
        "seed": seed,
        "solver": solver,
        "dtype": dtype,
        "trials": trials,
        "options": options,
    }
    journal = Journal(storage, fingerprint(*_arrays(problem), settings), stages)
    search = Search(
        _solver(solver)(problem, device=resolve_device(device), dtype=dtype),
        journal,
        seed=seed,
        time_budget=time_budget,
        rates=rates,
    )
    rerun = find(search, epsilon=epsilon, trials=trials, **options)
    return _alignment(search, search.best(rerun), epsilon)


def _solver(name):
    if name == "native":
        return NativeSolver
    # POT loads scikit-learn, which takes longer than a small alignment.
    from repalign.gwot.solver.pot import PotSolver

    return PotSolver


def _arrays(problem):
    for system in (problem.source, problem.target):
        yield system.weights
        yield system.linear
        yield system.dense if system.factor is None else system.factor


def _alignment(search, best, epsilon):
    frame = search.frame()
    if best is None:
        failed = frame["status"] == "failed"
        reasons = ", ".join(frame["reason"][failed].value_counts().index[:3])
        pruned = f"; {(~failed).sum()} were pruned" if (~failed).any() else ""
        raise InputError(
            f"All {failed.sum()} trials{' that went on to the end' if pruned else ''} failed ({reasons}){pruned}. "
            f"Epsilon between {epsilon[0]:g} and {epsilon[1]:g} is too small where the product of the spreads of both "
            f"matrices is {search.problem.spread:.3g}; raise epsilon."
        )
    record, plan = best
    fields = {name: record[name] for name in ("loss", "epsilon", "converged", "marginal_error")}
    return Alignment(plan=plan, trials=frame, **fields)


def epsilon_range(epsilon):
    """Low and high end of a range of epsilon, which may be one number."""
    return (epsilon, epsilon) if np.ndim(epsilon) == 0 else tuple(epsilon)


def _check(strategy, solver, epsilon, trials, dtype):
    for value, known, what in (
        (strategy, STRATEGIES, "strategy"),
        (solver, SOLVERS, "solver"),
        (dtype, ("float32", "float64"), "dtype"),
    ):
        if value not in known:
            raise InputError(f"Unknown GWOT {what} '{value}'; choose one of {', '.join(known)}.")
    if len(epsilon) != 2 or not 0 < epsilon[0] <= epsilon[1] < np.inf:
        raise InputError(f"The GWOT epsilon range {epsilon} is not (low, high) with 0 < low <= high.")
    if trials < 1:
        raise InputError(f"GWOT needs at least 1 trial, not {trials}.")


def _checked_options(options, strategy, find, solver):
    if options.get("hops") and solver != "native":
        raise InputError(f"GWOT basin hops need the native solver; '{solver}' has none.")
    known = [name for name in signature(find).parameters if name not in ("search", "epsilon", "trials")]
    for name in options:
        if name not in known:
            raise InputError(
                f"The GWOT strategy '{strategy}' has no option '{name}'; it takes {', '.join(known)}."
            )
    return options


def resolve_device(device):
    """`auto` is CUDA where there is one, else the CPU."""
    if device != "auto":
        return device
    return "cuda" if torch.cuda.is_available() else "cpu"
