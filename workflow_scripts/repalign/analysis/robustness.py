"""How far can an alignment be trusted? Sensitivity, agreement, near-degenerate minima, oracle."""

import numpy as np
import pandas as pd

from repalign.analysis.simulated_chance import chance_of_noise
from repalign.devices import choose_device
from repalign.errors import InputError
from repalign.gwot.alignment import DEVICES, align, epsilon_range
from repalign.gwot.chance import RELABELLINGS, object_chance
from repalign.gwot.matching import Partners
from repalign.gwot.problem import make_problem
from repalign.gwot.projection import nearest_matching_rate
from repalign.gwot.search.ladder import LOOSE, descend
from repalign.gwot.solver.native import NativeSolver
from repalign.gwot.starts.kinds import start_plan
from repalign.gwot.system import PRECOMPUTED
from repalign.gwot.truth import top1

ENTER = 0.4  # of the critical epsilon, where annealed starts begin
WITHIN = 0.01  # plans whose loss exceeds the best by less are near-degenerate


def sensitivity_map(
    source,
    target,
    epsilons,
    seeds,
    *,
    metric="cosine",
    histogram_matching=False,
    starts=("random",),
    anneal=False,
    rates=top1,
    device="cpu",
    dtype="float32",
    tolerance=1e-3,
    max_iterations=300,
):
    """Solve from every start and seed at every epsilon: does the result depend on any?

    Parameters
    ----------
    source, target : arrays
        As in `align`, of the same objects.
    epsilons : sequence of float
    seeds : sequence of int
    starts : sequence of str
        Kinds of `repalign.gwot.starts.kinds.STARTS`; deterministic ones give the same row for every seed, so the first
        seed alone is used for all kinds but the last.
    anneal : bool
        Follow each start down through all epsilons, from the largest; else solve it at each epsilon afresh, as the
        published search does.
    rates : callable
        Takes a plan, returns a dictionary of its rates, which become columns.
    device, dtype, tolerance, max_iterations :
        Of the solver.

    Returns
    -------
    DataFrame with one row per start, seed and epsilon: start, seed, epsilon, relative_epsilon (over the product of
    the standard deviations of both matrices), loss (NaN where the run failed), the rates, converged, reason.
    """
    problem = make_problem(source, target, metric=metric, histogram_matching=histogram_matching)
    solver = NativeSolver(
        problem,
        device=choose_device(device, DEVICES),
        dtype=dtype,
        tolerance=tolerance,
        max_iterations=max_iterations,
    )
    rows = []
    for kind, seed in [(kind, seeds[0]) for kind in starts[:-1]] + [(starts[-1], seed) for seed in seeds]:
        plan = start_plan(problem, kind, seed)[None]
        top = max(ENTER * problem.critical_epsilon, max(epsilons))
        state = solver.run(solver.state(plan, top), **LOOSE)[0] if anneal else None
        for epsilon in sorted(epsilons, reverse=True):
            if anneal:
                state, progress = descend(solver, state, epsilon)
            else:
                state, progress = solver.run_from(plan, epsilon)
            solution = solver.solutions(state, progress)[0]
            row = {"start": kind, "seed": int(seed), "epsilon": float(epsilon)}
            row |= {"relative_epsilon": epsilon / problem.spread, "loss": solution.loss}
            row |= {} if solution.failure else rates(solution.plan)
            rows.append(row | {"converged": solution.converged, "reason": solution.failure})
    table = pd.DataFrame(rows)
    return table[[*table.columns.drop(["converged", "reason"]), "converged", "reason"]]


def near_degenerate(losses, rates, tolerance=WITHIN):
    """Spread of a matching rate over all plans whose loss is within `tolerance` of the best.

    Parameters
    ----------
    losses, rates : (m,) arrays
        One entry per plan; plans with a NaN loss do not count.
    tolerance : float
        Relative to the lowest loss.

    Returns
    -------
    dict: n (plans that close), lowest, highest, of_best.
    """
    losses, rates = (np.asarray(x, dtype=float) for x in (losses, rates))
    if not np.isfinite(losses).any():
        raise InputError("No plan has a loss; every trial failed.")
    best = np.nanargmin(losses)
    close = losses <= losses[best] * (1 + tolerance)
    return {
        "n": int(close.sum()),
        "lowest": float(rates[close].min()),
        "highest": float(rates[close].max()),
        "of_best": float(rates[best]),
    }


def agreement(first, second, direction="rows"):
    """Share of objects that two plans assign to the same partner (argmax of each row, or column)."""
    axis = {"rows": 1, "columns": 0}[direction]
    return float((np.argmax(first, axis) == np.argmax(second, axis)).mean())


def oracle(
    source,
    target,
    epsilon,
    *,
    metric="cosine",
    histogram_matching=False,
    device="cpu",
    dtype="float32",
    **weights,
):
    """Solve from the true correspondence (object i with object i): what a search could hope for.

    It uses the labels, so it stands beside a found plan and never chooses one. Returns a `Solution`.
    """
    problem = make_problem(source, target, metric=metric, histogram_matching=histogram_matching, **weights)
    if problem.shape[0] != problem.shape[1] or not np.allclose(problem.p, problem.q):
        raise InputError("The oracle needs the same objects with the same weights in both systems.")
    solver = NativeSolver(problem, device=choose_device(device, DEVICES), dtype=dtype)
    return solver.solve(np.diag(problem.p), epsilon)


def robustness_table(
    source, target, plan, found, sensitivity, *, settings, seed, rates=top1, noise_pairs=0, features=50
):
    """What stands beside a found plan, one row per measure.

    Parameters
    ----------
    source, target : arrays
        As in `align`.
    plan : (n, n) array
        The found plan.
    found : mapping
        Its `loss` and `epsilon`.
    sensitivity : DataFrame
        Of `sensitivity_map` with the same `rates`.
    settings : dict
        Keyword arguments of `align` that found the plan.
    seed : int
        Of that search; the independent one takes the next.
    rates : callable
        Takes a plan, returns a dictionary of its rates.
    noise_pairs : int
        Pairs of structure-free embeddings to align at the same share of the critical epsilon; 0 for none.
    features : int
        Of these embeddings.

    Returns
    -------
    DataFrame with columns measure, value, low, high, n:

    - `loss` and every rate: of the found plan; low and high over the n near-degenerate plans (found, independent
      and of the sensitivity map) whose loss is within 1% of the best
    - the same with `_independent`: of a search with another seed; with `_oracle`: of the plan solved from the true
      correspondence, which chooses nothing
    - `agreement_rows`, `agreement_columns`: share of objects with the same partner in found and independent plan
    - `nearest_top1`: matching by nearest object after Procrustes rotation through the plan (embeddings only)
    - `chance_permuted`, `chance_noise`: top-1 without correspondence, of relabelled objects and of noise, with the band
      that holds 99% of n relabellings, or its 99% interval over n pairs of noise
    """
    other = align(source, target, seed=seed + 1, **settings)
    shared = {name: settings[name] for name in ("metric", "histogram_matching", "dtype")}
    device = settings.get("device", "cpu")
    truth = oracle(source, target, found["epsilon"], device=device, **shared)
    values, others = rates(plan), rates(other.plan)
    losses = [found["loss"], other.loss, *sensitivity["loss"]]
    rows = []
    for name, value in {"loss": found["loss"], **values}.items():
        column = [value, {"loss": other.loss, **others}[name], *sensitivity[name]]
        spread = near_degenerate(losses, column)
        rows.append((name, value, spread["lowest"], spread["highest"], spread["n"]))
    truths = {} if truth.failure else rates(truth.plan)
    for suffix, loss, of in (("independent", other.loss, others), ("oracle", truth.loss, truths)):
        rows += [(f"{name}_{suffix}", value) for name, value in {"loss": loss, **of}.items()]
    rows += [
        (f"agreement_{direction}", agreement(plan, other.plan, direction))
        for direction in ("rows", "columns")
    ]
    if settings["metric"] != PRECOMPUTED:
        rows.append(("nearest_top1", nearest_matching_rate(source, target, plan)))
    chance = object_chance(Partners.from_plan(plan, 1), confidence=0.99, seed=seed)
    rows.append(("chance_permuted", chance.mean, chance.low, chance.high, RELABELLINGS))
    if noise_pairs:
        critical = make_problem(
            source, target, metric=settings["metric"], histogram_matching=settings["histogram_matching"]
        ).critical_epsilon
        same = {
            name: settings[name] for name in ("strategy", "trials", "dtype", "device") if name in settings
        }
        relative = [value / critical for value in epsilon_range(settings["epsilon"])]
        chance = chance_of_noise(
            len(plan), features, noise_pairs, relative_epsilon=relative, seed=seed, **same
        )
        rows.append(("chance_noise", chance.mean, chance.low, chance.high, noise_pairs))
    names = ("measure", "value", "low", "high", "n")
    return pd.DataFrame([dict(zip(names, row, strict=False)) for row in rows], columns=names).astype(
        {"n": "Int64"}
    )
