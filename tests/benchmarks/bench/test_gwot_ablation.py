"""What every acceleration of the native solver buys: time of one run with it and without it.

`docs/solver.md` describes the accelerations and holds the table. `BENCHMARK_SIZES` names the numbers of objects,
`BENCHMARK_METRICS` the metrics. Times are CPU seconds of this process on one thread.
"""

import os
import time

import numpy as np
import pandas as pd
import pytest
import torch
from repalign.gwot.problem import make_problem
from repalign.gwot.search.ladder import LOOSE, descend
from repalign.gwot.solver import native, quasi_newton, sinkhorn
from repalign.gwot.solver.native import NativeSolver
from repalign.gwot.starts.plans import profile_plan, random_plan
from repalign.measures.rdm import dissimilarity

pytestmark = [pytest.mark.benchmark, pytest.mark.things]
SIZES = [int(n) for n in os.environ.get("BENCHMARK_SIZES", "500,1854,4000").split(",")]
METRICS = os.environ.get("BENCHMARK_METRICS", "cosine,euclidean").split(",")
ENTRY, END = 0.4, 0.01  # epsilon where a run begins and where it ends, in units of the critical one
TOLERANCE = 1e-3


class ColdStart(NativeSolver):
    """Starts every Sinkhorn solution from the weights instead of the last potentials."""

    def step(self, state, marginal_tolerance, out=None):
        state = type(state)(
            state.moment,
            self.log_p.expand_as(state.f),
            self.log_q.expand_as(state.g),
            state.epsilon,
            state.rest,
        )
        return super().step(state, marginal_tolerance, out)


class TightSinkhorn(NativeSolver):
    """Solves every Sinkhorn problem to the precision of the dtype."""

    def marginal_tolerance(self, change):
        return torch.full_like(change, self.precision)


class Plain:
    """Sinkhorn's plain sweeps, in the place of `Anderson`."""

    def __init__(self, *args, **settings):
        pass

    def mix(self, residual, image):
        return image


WITHOUT = {
    "warm start of Sinkhorn": {"solver": ColdStart},
    "adaptive marginal tolerance": {"solver": TightSinkhorn},
    "Anderson acceleration in Sinkhorn": {"patch": (sinkhorn, "Anderson", Plain)},
    "quasi-Newton outer steps": {"patch": (quasi_newton, "START", 0.0)},
    "sparse kernels": {"patch": (sinkhorn, "SPARSE_FROM", np.inf)},
    "floor of the kernel entries": {"patch": (sinkhorn, "LOWEST_LOG", -1e4)},
    "leading eigenvectors": {"patch": (native, "COARSE_RANK", 10**6), "metrics": ("euclidean",)},
    "factored costs": {"dense": True, "metrics": ("cosine",)},
}


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def groups(things_dir):
    return [np.load(things_dir / f"human/spose_group{k}.npy")[0].astype(float) for k in (1, 2)]


def objects(groups, n):
    """Embeddings of n objects: some of them, or all of them and jittered copies."""
    rng = np.random.default_rng(0)
    total = len(groups[0])
    if n <= total:
        chosen = rng.choice(total, n, replace=False)
        return [group[chosen] for group in groups]
    chosen = np.arange(n) % total
    copies = (np.arange(n) >= total)[:, None]
    noise = [0.3 * group.std() * rng.standard_normal((n, group.shape[1])) for group in groups]
    return [np.abs(group[chosen] + copies * part) for group, part in zip(groups, noise, strict=True)]


def anneal(problem, solver, starts):
    """Anneal starts (B, n1, n2) as a search does, to convergence: solutions, CPU seconds."""
    began = time.process_time()
    coarse = solver.coarse()
    state = coarse.state(starts, ENTRY * problem.critical_epsilon)
    state, _ = coarse.run(state, **LOOSE)
    state, _ = descend(coarse, state, END * problem.critical_epsilon, **LOOSE)
    return solver.solutions(*solver.finish(state)), time.process_time() - began


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("n", SIZES)
def test_what_each_acceleration_buys(groups, n, metric, monkeypatch):
    pair = objects(groups, n)
    problem = make_problem(*pair, metric=metric)
    start = profile_plan(problem)[None]
    (reference,), fast = anneal(problem, NativeSolver(problem, tolerance=TOLERANCE), start)
    rows = [row("nothing", reference, reference, fast, fast)]
    for name, change in WITHOUT.items():
        if metric not in change.get("metrics", (metric,)):
            continue
        with monkeypatch.context() as context:
            if "patch" in change:
                context.setattr(*change["patch"])
            other = problem
            if change.get("dense"):
                other = make_problem(*(dissimilarity(x, metric) for x in pair), metric="precomputed")
            solver = change.get("solver", NativeSolver)(other, tolerance=TOLERANCE, max_iterations=1000)
            (solution,), seconds = anneal(problem, solver, start)
        rows.append(row(name, solution, reference, seconds, fast))
        print(rows[-1], flush=True)
    print(f"\nn = {n}, {metric}\n{pd.DataFrame(rows).to_string(index=False)}")
    assert reference.converged
    assert reference.failure == ""


def row(name, solution, reference, seconds, fast):
    return {
        "without": name,
        "CPU s": round(seconds, 2),
        "times slower": round(seconds / fast, 2),
        "last steps": solution.iterations,
        "last sweeps": solution.inner_iterations,
        "converged": solution.converged,
        "loss / loss with all - 1": solution.loss / reference.loss - 1,
    }


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("n", [100, 200, 500])
def test_what_batching_buys(groups, n, metric):
    """On a CPU; the batches of a GPU are larger."""
    problem = make_problem(*objects(groups, n), metric=metric)
    solver = NativeSolver(problem, tolerance=TOLERANCE)
    starts = np.stack([random_plan(problem.p, problem.q, seed) for seed in range(solver.batch)])
    together, fast = anneal(problem, solver, starts)
    alone = [anneal(problem, solver, start[None]) for start in starts]
    slow = sum(seconds for _, seconds in alone)
    print(f"\nn = {n}, {metric}: {len(starts)} starts together {fast:.2f} CPU s, one by one {slow:.2f}")
    assert [s.failure for s in together] == [""] * len(starts)
