"""The published search: random starts, each solved at one epsilon that Optuna picks."""

import time

from repalign.gwot.search import GENERATION, suggest_epsilon
from repalign.gwot.starts import start_plan


def paper_search(search, *, epsilon, trials, starts=("random",), sampler="tpe"):
    """Solve `trials` starts, each at its own epsilon, as GWTune does; returns a function that reruns a trial."""

    def solve(slot, value):
        kind = starts[slot % len(starts)]
        return kind, search.solver.solve(start_plan(search.problem, kind, [search.seed, slot]), value)

    def run(slot):
        began = time.perf_counter()
        value = suggest_epsilon(search.journal.records(), slot, epsilon, sampler=sampler, seed=search.seed)
        kind, solution = solve(slot, value)
        search.record(slot, solution, start=kind, seconds=time.perf_counter() - began)

    search.run_slots(range(trials), run, horizon=lambda first: first - first % GENERATION + GENERATION)
    return lambda slot: solve(slot, search.journal.records()[slot]["epsilon"])[1]
