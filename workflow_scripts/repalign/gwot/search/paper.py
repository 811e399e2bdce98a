"""The published search: random starts, each solved at one epsilon that Optuna picks."""

import numpy as np

from repalign.gwot.search.trials import suggest_epsilon
from repalign.gwot.starts.kinds import start_plan

STAGES = ("trials",)
GENERATION = 10  # trials whose epsilon is drawn from the same history; as many workers can share them


def paper_search(search, *, epsilon, trials, starts=("random",), sampler="tpe"):
    """Solve `trials` starts, each at its own epsilon, as GWTune does.

    Only trials of earlier generations of ten count as history for the sampler, so a trial is the same whatever the
    order, the number of workers or the interruptions. Returns a function that reruns one trial.
    """

    def solve(slots):
        records = search.journal.records(STAGES[0])
        kinds = [starts[slot % len(starts)] for slot in slots]
        values = []
        for slot in slots:
            history = [records[k] for k in sorted(records) if k < slot - slot % GENERATION]
            values.append(suggest_epsilon(history, slot, epsilon, sampler=sampler, seed=search.seed))
        plans = [
            start_plan(search.problem, kind, [search.seed, k]) for kind, k in zip(kinds, slots, strict=True)
        ]
        solver = search.solver
        solutions = solver.solutions(*solver.run_from(np.stack(plans), values))
        return list(zip(solutions, kinds, strict=True))

    search.run(STAGES[0], range(trials), solve, fence=GENERATION)

    def rerun(slot, _stage):
        first = slot - slot % GENERATION
        block = list(range(first, min(first + GENERATION, trials)))
        offset = (slot - first) // search.solver.batch * search.solver.batch
        chunk = block[offset : offset + search.solver.batch]
        return solve(chunk)[chunk.index(slot)][0]

    return rerun
