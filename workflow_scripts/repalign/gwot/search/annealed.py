"""Annealed search: many starts solved loosely at a large epsilon, the best of them annealed down and polished."""

from dataclasses import dataclass

import numpy as np

from repalign.gwot.search.ladder import CLOSE, LOOSE, descend
from repalign.gwot.search.refine import hop_basins
from repalign.gwot.search.runner import chunked
from repalign.gwot.search.sampling import suggest_epsilon, survivors
from repalign.gwot.starts.kinds import start_plan

ENTRY = (0.15, 0.7)  # range of epsilon at which starts are first solved, in units of the critical epsilon
ROUND = 20  # starts at least in each round of a search
SAME_LOSS = 1e-4  # relative difference of losses up to which polished starts have found the same minimum
NO_LOSS = 0.1  # times the product of the spreads: smaller losses are compared as if they were this large


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
    agree : int, optional
        End the search after a round in which so many polished starts share the lowest loss; None to use all starts.
    """

    starts: tuple = ("profile", "uniform", "random")
    keep: float = 25.0
    finalists: int = 3
    hops: int = 0
    screen: float | None = None
    agree: int | None = 3


class AnnealedSearch:
    """Screen all starts, anneal the best share of them, polish the finalists.

    Every start enters at its own epsilon, log-uniform below the critical one (above which no structure forms), and
    is solved loosely down to the screening epsilon, where losses compare. Optuna's percentile pruner keeps the best;
    they are annealed to the low end of the range with warm-started potentials, and the finalists with the lowest loss
    there are solved to tolerance.

    This is done in rounds of at least twenty starts. Each round chooses among all starts so far, and the search ends
    when enough polished starts have found the same lowest loss. Up to twenty trials are one round.

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
        self._groups = {stage: [] for stage in self.stages}  # slots of each stage, one list for each round
        self._states = {}  # by stage and slot, at the end of the stage

    def run(self):
        """Run rounds of the three stages until starts agree; the trials go to the runner."""
        size = self.exact.batch * -(-ROUND // self.exact.batch)  # whole batches
        for group in chunked(range(self.trials), size):
            in_time = self._run_round(group)
            rest = range(group[-1] + 1, self.trials)
            agreeing = self._agreeing()
            if rest and agreeing:
                self.runner.skip(rest, f"not needed: {agreeing} starts share the lowest loss")
            if agreeing or not in_time:
                return

    def rerun(self, stage, slot):
        """The solution of one slot after a stage, solved again in the batch that it was in."""
        chunk = next(c for c in self._chunks(stage) if slot in c)
        return self._solve(stage, chunk)[chunk.index(slot)][0]

    def _run_round(self, group):
        """Take new starts through the stages, with those of earlier rounds that now pass; False if time ran out."""
        in_time, slots = True, group
        for stage, share in zip(self.stages, self.time_shares, strict=True):
            earlier = self._slots(stage)
            new = [slot for slot in slots if slot not in earlier]
            self._groups[stage].append(new)
            in_time &= self.runner.run(stage, new, lambda c, stage=stage: self._solve(stage, c), share=share)
            slots = self._passed(stage)
        return in_time

    def _slots(self, stage):
        return [slot for group in self._groups[stage] for slot in group]

    def _records(self, stage):
        """Trials of the rounds so far; the journal of a resumed search may hold later ones."""
        records, slots = self.runner.journal.records(stage), set(self._slots(stage))
        return {slot: record for slot, record in records.items() if slot in slots}

    def _passed(self, stage):
        if stage == "screen":
            return survivors(self._records(stage), self.options.keep)
        return survivors(self._records(stage), 100.0)[: self.options.finalists]

    def _agreeing(self):
        """How many polished starts share the lowest loss, if enough do, else 0."""
        polished = self._records("polish").values()
        losses = [
            record["loss"] for record in polished if record["status"] == "complete" and record["converged"]
        ]
        if self.options.agree is None or not losses:
            return 0
        lowest = min(losses)
        tolerance = SAME_LOSS * max(lowest, NO_LOSS * self.runner.problem.spread)
        same = sum(loss - lowest <= tolerance for loss in losses)
        return same if same >= self.options.agree else 0

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
        return [chunk for group in self._groups[stage] for chunk in chunked(group, self.exact.batch)]

    def _kind(self, slot):
        return self.options.starts[min(slot, len(self.options.starts) - 1)]

    def _entry_epsilon(self, slot):
        within = [share * self.critical for share in ENTRY]
        epsilon = suggest_epsilon([], slot, within, sampler="random", seed=self.runner.seed)
        return max(epsilon, self.screen_epsilon)
