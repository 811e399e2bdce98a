"""How far can an alignment be trusted? Sensitivity, agreement, near-degenerate minima, chance, oracle."""

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd
from scipy.stats import binom

from repalign.errors import InputError
from repalign.gwot.alignment import align
from repalign.gwot.matching import matching_rate
from repalign.gwot.problem import make_problem
from repalign.gwot.solver import NativeSolver
from repalign.gwot.starts import start_plan


def sensitivity_map(
    source,
    target,
    epsilons,
    seeds,
    *,
    metric="cosine",
    histogram_matching=False,
    categories=None,
    start="random",
    device="cpu",
    dtype="float32",
):
    """Solve from every seed at every epsilon: does the result depend on either?

    Parameters
    ----------
    source, target : arrays
        As in `align`, of the same objects.
    epsilons : sequence of float
    seeds : sequence of int
    categories : (n, c) array, optional
        Membership table for the column `category_top1`.
    start : str
        A kind of `repalign.gwot.starts.STARTS`.

    Returns
    -------
    DataFrame with one row per epsilon and seed: epsilon, seed, loss (NaN where the run failed), top1, category_top1,
    converged, reason.
    """
    problem = make_problem(source, target, metric=metric, histogram_matching=histogram_matching)
    solver = NativeSolver(problem, device=device, dtype=dtype)
    rows = []
    for seed in seeds:
        plan = start_plan(problem, start, seed)
        for epsilon in epsilons:
            solution = solver.solve(plan, epsilon)
            row = {"epsilon": float(epsilon), "seed": int(seed), "loss": solution.loss}
            row |= plan_rates(solution, categories)
            rows.append(row | {"converged": solution.converged, "reason": solution.failure})
    return pd.DataFrame(rows)


def plan_rates(solution, categories=None):
    """Object and category top-1 of a `Solution` or `Alignment`; NaN where the plan is unusable or no table is given."""
    if getattr(solution, "failure", ""):
        return {"top1": np.nan, "category_top1": np.nan}
    category = np.nan if categories is None else matching_rate(solution.plan, 1, categories)
    return {"top1": matching_rate(solution.plan), "category_top1": category}


def near_degenerate(losses, rates, tolerance=0.01):
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


def seed_agreement(source, target, seeds, **settings):
    """Align independently from each seed; how often do the best plans agree?

    Returns
    -------
    DataFrame with one row per pair of seeds: first, second, loss_first, loss_second, agreement.
    """
    results = {seed: align(source, target, seed=seed, **settings) for seed in seeds}
    return pd.DataFrame(
        {
            "first": a,
            "second": b,
            "loss_first": results[a].loss,
            "loss_second": results[b].loss,
            "agreement": agreement(results[a].plan, results[b].plan),
        }
        for a, b in combinations(seeds, 2)
    )


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
    return NativeSolver(problem, device=device, dtype=dtype).solve(np.diag(problem.p), epsilon)


@dataclass(frozen=True)
class SimulatedChance:
    """Matching rates under no correspondence: one per simulation, their mean, and an interval of the mean."""

    rates: np.ndarray
    mean: float
    low: float
    high: float


def chance_of_noise(n, features, pairs, *, k=1, categories=None, seed=0, confidence=0.99, **settings):
    """Align pairs of independent Gaussian embeddings: the rate that the method makes of no structure at all.

    Parameters
    ----------
    n, features, pairs : int
    k, categories :
        Of `matching_rate`.
    confidence : float
        Of the binomial (objects) interval that n * pairs draws at the mean rate would give.
    settings :
        Of `align`.
    """
    rng = np.random.default_rng(seed)
    rates = []
    for number in range(pairs):
        source, target = rng.standard_normal((2, n, features))
        rates.append(matching_rate(align(source, target, seed=number, **settings).plan, k, categories))
    return _summary(rates, n * pairs, confidence)


def chance_of_permutations(plan, permutations=1000, *, k=1, categories=None, seed=0, confidence=0.99):
    """Rates of a plan against randomly relabelled objects, which is what aligning a permuted model gives.

    Relabelling the target's objects permutes the columns of every plan and changes no loss, so the search need not
    be repeated.
    """
    rng = np.random.default_rng(seed)
    plan = np.asarray(plan)
    rates = [matching_rate(plan[:, rng.permutation(len(plan))], k, categories) for _ in range(permutations)]
    tail = (1 - confidence) / 2
    low, high = np.quantile(rates, [tail, 1 - tail])
    return SimulatedChance(np.array(rates), float(np.mean(rates)), float(low), float(high))


def _summary(rates, draws, confidence):
    mean = float(np.mean(rates))
    low, high = binom.interval(confidence, draws, mean)
    return SimulatedChance(np.array(rates), mean, float(low) / draws, float(high) / draws)


def alignment_map(embeddings, *, categories=None, **settings):
    """Align every pair of systems.

    Parameters
    ----------
    embeddings : dict of str to (n, d) array
        Systems of the same objects.
    settings :
        Of `align`.

    Returns
    -------
    DataFrame with one row per unordered pair: source, target, loss, epsilon, top1, category_top1, converged.
    """
    rows = []
    for a, b in combinations(embeddings, 2):
        result = align(embeddings[a], embeddings[b], **settings)
        row = {"source": a, "target": b, "loss": result.loss, "epsilon": result.epsilon}
        rows.append(row | plan_rates(result, categories) | {"converged": result.converged})
    return pd.DataFrame(rows)


def robustness_table(source, target, plan, found, sensitivity, *, settings, seed):
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
        Of `sensitivity_map`.
    settings : dict
        Keyword arguments of `align` that found the plan.
    seed : int
        Of that search; the independent one takes the next.

    Returns
    -------
    DataFrame with columns measure, value: loss and top-1 found, by an independent search and by the oracle; the
    agreement of both searches; the spread of top-1 over near-degenerate plans; simulated chance.
    """
    other = align(source, target, seed=seed + 1, **settings)
    truth = oracle(
        source,
        target,
        found["epsilon"],
        **{name: settings[name] for name in ("metric", "histogram_matching", "dtype")},
    )
    top1 = matching_rate(plan)
    losses = [found["loss"], other.loss, *sensitivity["loss"]]
    spread = near_degenerate(losses, [top1, matching_rate(other.plan), *sensitivity["top1"]])
    chance = chance_of_permutations(plan, seed=seed)
    values = {
        "loss": found["loss"],
        "top1": top1,
        "loss_independent": other.loss,
        "top1_independent": matching_rate(other.plan),
        "agreement": agreement(plan, other.plan),
        "loss_oracle": truth.loss,
        "top1_oracle": plan_rates(truth)["top1"],
        "near_degenerate_plans": spread["n"],
        "near_degenerate_top1_low": spread["lowest"],
        "near_degenerate_top1_high": spread["highest"],
        "chance": chance.mean,
        "chance_low": chance.low,
        "chance_high": chance.high,
    }
    return pd.DataFrame({"measure": list(values), "value": list(values.values())})
