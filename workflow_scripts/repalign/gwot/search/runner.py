"""Run the trials of a search: claim, solve, log; keep the best plan."""

import time

import numpy as np
import pandas as pd

from repalign.storage.artefacts import read_arrays, write_arrays


class TrialRunner:
    """Runs trials for a search strategy, logs them in the journal and keeps the best plan.

    Parameters
    ----------
    solver : NativeSolver or PotSolver
    journal : Journal
    seed : int
    time_budget : float, optional
        Seconds.
    rates : callable, optional
        Takes a plan, returns numbers by name that are logged with its trial.
    """

    def __init__(self, solver, journal, *, seed, time_budget=None, rates=None):
        self.solver, self.journal, self.seed, self.rates = solver, journal, seed, rates
        self.problem = solver.problem
        self.began, self.time_budget = time.monotonic(), np.inf if time_budget is None else time_budget
        self._best = (np.inf, None, None)
        self._skipped = {}

    def run(self, stage, slots, solve, *, share=1.0, generation=None):
        """Run every slot of a stage once among all workers, in chunks that the solver takes as one batch.

        Parameters
        ----------
        stage : str
        slots : sequence of int
        solve : callable
            Takes a list of slots, returns a list of `(solution, start kind)`.
        share : float
            Part of the time budget after which no further chunk starts; the first always runs.
        generation : int, optional
            Slots are run in groups of this many; the next group waits until the last one is complete.

        Returns
        -------
        bool: False if time ran out before the end.
        """
        size = self.solver.batch
        for block in chunked(slots, generation or max(len(slots), 1)):
            chunks = chunked(block, size)
            while missing := [chunk for chunk in chunks if not self._done(stage, chunk)]:
                idle = True
                for chunk in missing:
                    if time.monotonic() - self.began > share * self.time_budget and self.journal.records(
                        stage
                    ):
                        return False
                    with self.journal.claim(f"{stage}-{chunk[0]}") as mine:
                        if mine and not self._done(stage, chunk):
                            self._run_chunk(stage, chunk, solve)
                            idle = False
                if idle:
                    time.sleep(0.05)  # another worker holds what is left
        return True

    def skip(self, slots, reason):
        """Say of trials that they were not run, and why."""
        self._skipped.update(dict.fromkeys(slots, reason))

    def _done(self, stage, chunk):
        return set(chunk) <= set(self.journal.records(stage))

    def _run_chunk(self, stage, chunk, solve):
        began = time.perf_counter()
        results = solve(chunk)
        seconds = (time.perf_counter() - began) / len(chunk)
        known = self.journal.records(stage)
        for slot, (solution, start) in zip(chunk, results, strict=True):
            if slot not in known:
                self._record(stage, slot, solution, start, seconds)

    def _record(self, stage, slot, solution, start, seconds):
        usable = not solution.failure
        if usable and stage == self.journal.stages[-1] and solution.loss < self._least_loss():
            self._keep(slot, solution)
        self.journal.add(
            stage,
            {
                "trial": int(slot),
                "start": start,
                "seed": self.seed,
                "epsilon": solution.epsilon,
                "relative_epsilon": solution.epsilon / self.problem.spread,
                "loss": solution.loss if usable else None,
                "marginal_error": solution.marginal_error if usable else None,
                "converged": solution.converged,
                "iterations": solution.iterations,
                "inner_iterations": solution.inner_iterations,
                "seconds": round(seconds, 3),
                "status": "complete" if usable else "failed",
                "reason": solution.failure or self._unfinished(stage, solution),
                **(self.rates(solution.plan) if usable and self.rates else {}),
            },
        )

    def _unfinished(self, stage, solution):
        """Why the plan of a last stage is usable but has not converged; earlier stages are loose on purpose."""
        if solution.converged or stage != self.journal.stages[-1]:
            return ""
        return f"not converged after {solution.iterations} steps"

    def best(self, rerun):
        """Record and plan of the lowest loss, or None; `rerun(stage, slot)` solves a plan again that no file holds.

        Where all trials of the last stage failed, the best of an earlier one, which has not converged.
        """
        for stage in reversed(self.journal.stages):
            complete = [r for r in self.journal.records(stage).values() if r["status"] == "complete"]
            if complete:
                break
        else:
            return None
        record = min(complete, key=lambda r: (r["loss"], r["trial"]))
        if stage != self.journal.stages[-1]:
            return {**record, "converged": False}, rerun(stage, record["trial"]).plan
        if self._best[1] == record["trial"]:
            return record, self._best[2]
        if self.journal.path is not None and (path := self._plan_path(record["trial"])).exists():
            return record, read_arrays(path)[0]["plan"]
        return record, rerun(stage, record["trial"]).plan

    def frame(self):
        """The trials as a data frame, one row each, in order.

        A trial that did not reach the last stage is `pruned`; its loss is that of the stage it reached. One that was
        not run, because starts agreed, is `skipped`. Iterations and seconds add up over stages.
        """
        rows = {}
        for stage in self.journal.stages:
            for slot, record in sorted(self.journal.records(stage).items()):
                row = {**record, "stage": stage}
                for total in ("iterations", "inner_iterations", "seconds"):
                    row[total] += rows.get(slot, {total: 0})[total]
                if stage != self.journal.stages[-1] and row["status"] == "complete":
                    row["status"] = "pruned"
                rows[slot] = row
        for slot, reason in self._skipped.items():
            none = dict.fromkeys(("iterations", "inner_iterations", "seconds"), 0)
            rows[slot] = {
                "trial": slot,
                "seed": self.seed,
                "converged": False,
                "status": "skipped",
                "stage": "",
            }
            rows[slot] |= {"start": "", "reason": reason, **none}
        frame = pd.DataFrame([rows[slot] for slot in sorted(rows)])
        return frame.astype({"loss": float, "marginal_error": float}) if len(frame) else frame

    def _least_loss(self):
        records = self.journal.records(self.journal.stages[-1]).values()
        return min((r["loss"] for r in records if r["status"] == "complete"), default=np.inf)

    def _keep(self, slot, solution):
        previous = self._best[1]
        self._best = (solution.loss, slot, solution.plan)
        if self.journal.path is not None:
            write_arrays(
                self._plan_path(slot), {"plan": solution.plan}, {"trial": slot, "loss": solution.loss}
            )
            if previous is not None:
                self._plan_path(previous).unlink(missing_ok=True)

    def _plan_path(self, slot):
        return self.journal.folder / f"plan-{slot}.safetensors"


def chunked(slots, size):
    """Lists of at most `size` slots in a row."""
    return [list(slots[i : i + size]) for i in range(0, len(slots), size)]
