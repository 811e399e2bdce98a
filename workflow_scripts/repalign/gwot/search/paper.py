"""The published search: random starts, each solved at one epsilon that Optuna picks."""

from dataclasses import dataclass

import numpy as np

from repalign.gwot.search.runner import chunked
from repalign.gwot.search.sampling import suggest_epsilon
from repalign.gwot.starts.kinds import start_plan

GENERATION = 10  # trials whose epsilon is drawn from the same history; as many workers can share them


@dataclass(frozen=True)
class PaperOptions:
    """Options of the published search.

    Attributes
    ----------
    starts : sequence of str
        Kinds of start (`repalign.gwot.starts.kinds`), used in turn.
    sampler : str
        `tpe` or `random`.
    """

    starts: tuple = ("random",)
    sampler: str = "tpe"


class PaperSearch:
    """Solve every start at its own epsilon, as GWTune does.

    The sampler learns from trials of earlier generations of ten only, so that a trial is the same whatever the order,
    the number of workers or the interruptions.

    Parameters
    ----------
    runner : TrialRunner
    epsilon : (float, float)
        Range that the sampler draws from.
    trials : int
    options : PaperOptions
    """

    options_type = PaperOptions
    stages = ("trials",)

    def __init__(self, runner, *, epsilon, trials, options):
        self.runner, self.epsilon, self.trials, self.options = runner, epsilon, trials, options

    def run(self):
        """Run all trials; they go to the runner."""
        self.runner.run(self.stages[0], range(self.trials), self._solve, generation=GENERATION)

    def rerun(self, _stage, slot):
        """The solution of one trial, solved again in the batch that it was in."""
        first = slot - slot % GENERATION
        generation = range(first, min(first + GENERATION, self.trials))
        chunk = next(c for c in chunked(generation, self.runner.solver.batch) if slot in c)
        return self._solve(chunk)[chunk.index(slot)][0]

    def _solve(self, slots):
        records = self.runner.journal.records(self.stages[0])
        kinds = [self.options.starts[slot % len(self.options.starts)] for slot in slots]
        plans, epsilons = [], []
        for kind, slot in zip(kinds, slots, strict=True):
            history = [records[k] for k in sorted(records) if k < slot - slot % GENERATION]
            sampler = {"sampler": self.options.sampler, "seed": self.runner.seed}
            epsilons.append(suggest_epsilon(history, slot, self.epsilon, **sampler))
            plans.append(start_plan(self.runner.problem, kind, [self.runner.seed, slot]))
        solver = self.runner.solver
        solutions = solver.solutions(*solver.run_from(np.stack(plans), epsilons))
        return list(zip(solutions, kinds, strict=True))
