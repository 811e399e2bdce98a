"""Annealed search: many starts solved loosely at a large epsilon, the best of them annealed down and polished."""

from dataclasses import dataclass

import numpy as np

from repalign.gwot.search.ladder import CLOSE, LOOSE, descend
from repalign.gwot.search.refine import hop_basins
from repalign.gwot.search.runner import chunked
from repalign.gwot.search.sampling import suggest_epsilon, survivors
from repalign.gwot.starts.kinds import start_plan

ENTRY = (0.15, 0.7)  # range of epsilon at which starts are first solved, in units of the critical epsilon


@dataclass(frozen=True)
class AnnealedOptions:
    """Options of the annealed search.

    Attributes
    ----------
    starts : sequence of str
        Kinds of start (`repalign.gwot.starts.kinds`). Deterministic kinds are used once; the last kind fills the rest.
    keep : float
        Percentage of starts that pass the screening.
    finalists : int
        Starts that are polished.
    hops : int
        Basin hops of each finalist after its polish (native solver only).
    screen : float, optional
        Screening epsilon; by default the geometric mean of the low end of the range and `ENTRY[0]` times the
        critical epsilon.
    """

    starts: tuple = ("profile", "uniform", "random")
    keep: float = 25.0
    finalists: int = 3
    hops: int = 0
    screen: float | None = None


class AnnealedSearch:
    """Screen all starts, anneal the best share of them, polish the finalists.

    Every start enters at its own epsilon, log-uniform below the critical one (above which no structure forms), and
    is solved loosely down to the screening epsilon, where losses compare. Optuna's percentile pruner keeps the best;
    they are annealed to the low end of the range with warm-started potentials, and the finalists with the lowest loss
    there are solved to tolerance.

    Parameters
    ----------
    runner : TrialRunner
    epsilon : (float, float)
        What is reported lies within; the annealing may start above.
    trials : int
    options : AnnealedOptions
    """

    options_type = AnnealedOptions
    stages = ("screen", "anneal", "polish")
    time_shares = (0.5, 0.85, 1.0)  # of the time budget, by the end of each stage

    def __init__(self, runner, *, epsilon, trials, options):
        self.runner, self.options, self.trials = runner, options, trials
        self.exact = runner.solver
        self.coarse = self.exact.coarse()
        self.low = epsilon[0]
        self.critical = max(runner.problem.critical_epsilon, self.low)
        screen = options.screen or np.sqrt(ENTRY[0] * self.critical * self.low)
        self.screen_epsilon = float(np.clip(screen, self.low, self.critical))
        self._slots = {}  # of each stage
        self._states = {}  # by stage and slot, at the end of the stage

    def run(self):
        """Run the three stages; the trials go to the runner."""
        slots = range(self.trials)
        for stage, share in zip(self.stages, self.time_shares, strict=True):
            self._slots[stage] = slots
            self.runner.run(stage, slots, lambda chunk, stage=stage: self._solve(stage, chunk), share=share)
            slots = self._passed(stage)

    def rerun(self, stage, slot):
        """The solution of one slot after a stage, solved again in the batch that it was in."""
        chunk = next(c for c in self._chunks(stage) if slot in c)
        return self._solve(stage, chunk)[chunk.index(slot)][0]

    def _passed(self, stage):
        records = self.runner.journal.records(stage)
        if stage == "screen":
            return survivors(records, self.options.keep)
        return survivors(records, 100.0)[: self.options.finalists]

    def _solve(self, stage, slots):
        """Take a batch of slots through a stage: a list of `(Solution, kind of start)`."""
        state, progress = {"screen": self._screen, "anneal": self._anneal, "polish": self._polish}[stage](
            slots
        )
        solver = self.exact if stage == "polish" else self.coarse
        state = solver.balance(state)
        for i, slot in enumerate(slots):
            self._states[stage, slot] = state[i : i + 1]
        return list(zip(solver.solutions(state, progress), map(self._kind, slots), strict=True))

    def _screen(self, slots):
        plans = [start_plan(self.runner.problem, self._kind(k), [self.runner.seed, k]) for k in slots]
        state = self.coarse.state(np.stack(plans), [self._entry_epsilon(k) for k in slots])
        state, _ = self.coarse.run(state, **LOOSE)
        return descend(self.coarse, state, self.screen_epsilon, **LOOSE)

    def _anneal(self, slots):
        return descend(self.coarse, self._states_after("screen", slots), self.low, **CLOSE)

    def _polish(self, slots):
        state, progress = self.exact.finish(self._states_after("anneal", slots))
        if not self.options.hops:
            return state, progress
        hopped = [
            hop_basins(self.exact, state[i : i + 1], self.options.hops, seed=[self.runner.seed, slot])[0]
            for i, slot in enumerate(slots)
        ]
        return self.exact.run(self.exact.join(hopped))

    def _states_after(self, stage, slots):
        """States of slots at the end of a stage, as one batch.

        A resumed search lacks them. They are solved again in the batches in which they were solved first, so that
        they are the same to the last bit.
        """
        for chunk in self._chunks(stage):
            if any(k in slots and (stage, k) not in self._states for k in chunk):
                self._solve(stage, chunk)
        return self.coarse.join([self._states[stage, k] for k in slots])

    def _chunks(self, stage):
        return chunked(self._slots[stage], self.exact.batch)

    def _kind(self, slot):
        return self.options.starts[min(slot, len(self.options.starts) - 1)]

    def _entry_epsilon(self, slot):
        within = [share * self.critical for share in ENTRY]
        epsilon = suggest_epsilon([], slot, within, sampler="random", seed=self.runner.seed)
        return max(epsilon, self.screen_epsilon)
