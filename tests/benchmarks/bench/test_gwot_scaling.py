"""Time of a trial and peak memory against the number of objects, native and POT, on a log-log figure.

Every size runs in a process of its own, so that its peak memory is its own. `BENCHMARK_SIZES` names the sizes,
`BENCHMARK_FIGURE` the file of the figure.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

pytestmark = pytest.mark.benchmark
LIBRARY = Path(__file__).resolve().parents[3] / "workflow_scripts"
SIZES = [int(n) for n in os.environ.get("BENCHMARK_SIZES", "500,1000,2000,4000,10000").split(",")]
LARGEST_FOR_POT = 4000  # beyond, a trial takes an hour
MEASURE = """
import json, resource, sys, time
import numpy as np, torch
from repalign.gwot.solver.pot import PotSolver
from repalign.gwot.problem import make_problem
from repalign.gwot.solver.native import NativeSolver
from repalign.gwot.starts.plans import random_plan
name, metric, n = sys.argv[1], sys.argv[2], int(sys.argv[3])
torch.set_num_threads(1)
rng = np.random.default_rng(0)
source = rng.gamma(0.5, size=(n, 50)) * 0.93 ** np.arange(50)  # sparse and not negative, as SPoSE is
problem = make_problem(source, source + 0.05 * rng.standard_normal(source.shape), metric=metric)
start, epsilon = random_plan(problem.p, problem.q, 0, sweeps=2), 0.2 * problem.critical_epsilon
began = time.process_time()
solver = NativeSolver(problem, tolerance=3e-3) if name == "native" else PotSolver(problem)
solution = solver.solve(start, epsilon)
seconds = time.process_time() - began
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
row = {"solver": name, "metric": metric, "n": n, "CPU s": seconds, "peak GiB": peak, "loss": solution.loss}
print(json.dumps({**row, "iterations": solution.iterations, "converged": solution.converged}))
"""


def measured(name, metric, n):
    environment = {**os.environ, "PYTHONPATH": str(LIBRARY), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", MEASURE, name, metric, str(n)]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return json.loads(result.stdout.splitlines()[-1])


def exponent(table, column):
    large = table[table["n"] >= 1000]
    return np.polyfit(np.log(large["n"]), np.log(large[column]), 1)[0]


def draw(table, exponents, path):
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(7.2, 3.2), layout="constrained")
    for axis, column in zip(axes, ("CPU s", "peak GiB"), strict=True):
        for (name, metric), part in table.groupby(["solver", "metric"]):
            label = f"{name}, {metric}: $n^{{{exponents[name, metric, column]:.1f}}}$"
            style = {"color": "#0072B2" if name == "native" else "#D55E00"}
            style |= {"ls": "-", "marker": "o"} if metric == "cosine" else {"ls": "--", "marker": "s"}
            axis.loglog(part["n"], part[column], ms=3.5, lw=1.2, label=label, **style)
        axis.set(xlabel="objects n", xticks=SIZES, xticklabels=[f"{n:,}" for n in SIZES])
        axis.minorticks_off()
        axis.legend(fontsize=7, frameon=False, ncols=2, loc="lower center", bbox_to_anchor=(0.5, 1.0))
        axis.spines[["top", "right"]].set_visible(False)
    axes[0].set_ylabel("time of a trial (CPU s)")
    axes[1].set(
        ylabel="peak memory of the process (GiB)", yticks=[0.5, 1, 2, 4, 8], yticklabels=["0.5", 1, 2, 4, 8]
    )
    figure.savefig(path, dpi=150)


def test_time_and_memory_against_size(tmp_path):
    rows = [
        measured(name, metric, n)
        for metric in ("cosine", "euclidean")
        for name in ("native", "POT")
        for n in SIZES
        if name == "native" or n <= LARGEST_FOR_POT
    ]
    table = pd.DataFrame(rows)
    columns = ("CPU s", "peak GiB")
    exponents = {
        (*key, column): exponent(part, column)
        for key, part in table.groupby(["solver", "metric"])
        for column in columns
    }
    print(f"\nOne thread, epsilon a fifth of the critical one\n{table.to_string(index=False)}")
    for key, value in exponents.items():
        print(f"{', '.join(key)}: exponent {value:.2f} from n = 1000 on")
    draw(table, exponents, os.environ.get("BENCHMARK_FIGURE", tmp_path / "gwot_scaling.png"))
    assert table.loc[table["solver"] == "native", "peak GiB"].max() < 8
