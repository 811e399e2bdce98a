"""Run the trials of a search: pick, claim, solve, log; keep the best plan."""

import time
from contextlib import suppress

import numpy as np
import optuna
import pandas as pd
from optuna.distributions import FloatDistribution
from optuna.trial import TrialState, create_trial

from repalign.artefacts import read_arrays, write_arrays
from repalign.gwot.journal import quiet

GENERATION = 10  # trials whose epsilon is drawn from the same history; as many workers can share them


class Search:
    """State shared by the strategies: the solver, the journal, the deadline and the best plan seen here."""

    def __init__(self, solver, journal, *, seed, time_budget=None):
        self.solver, self.journal, self.seed = solver, journal, seed
        self.problem = solver.problem
        self.deadline = np.inf if time_budget is None else time.monotonic() + time_budget
        self._best = (np.inf, None, None)

    def out_of_time(self):
        """True once the time budget is spent; the first trial always runs."""
        return time.monotonic() > self.deadline and bool(self.journal.records())

    def record(self, slot, solution, *, start, seconds, values=(), status=None):
        """Log a finished trial and keep its plan if it is the best so far."""
        status = status or ("failed" if solution.failure else "complete")
        usable = not solution.failure
        if status == "complete" and solution.loss < self._least_loss():
            self._keep(slot, solution)
        self.journal.add(
            {
                "trial": slot,
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
                "status": status,
                "reason": solution.failure,
            },
            values,
        )

    def run_slots(self, slots, run, horizon=None):
        """Run every slot once among all workers; waits for those that others hold. False if time ran out first."""
        while missing := sorted(set(slots) - set(self.journal.records())):
            last = np.inf if horizon is None else horizon(missing[0])
            idle = True
            for slot in (slot for slot in missing if slot < last):
                if self.out_of_time():
                    return False
                with self.journal.claim(slot) as mine:
                    if mine and slot not in self.journal.records():
                        run(slot)
                        idle = False
            if idle:
                time.sleep(0.05)
        return True

    def best(self, rerun):
        """Record and plan of the lowest loss, or None; `rerun(slot)` remakes a plan that no file holds."""
        complete = [r for r in self.journal.records().values() if r["status"] == "complete"]
        if not complete:
            return None
        record = min(complete, key=lambda r: (r["loss"], r["trial"]))
        if self._best[1] == record["trial"]:
            return record, self._best[2]
        if self.journal.path is not None:
            with suppress(FileNotFoundError):
                return record, read_arrays(self._plan_path(record["trial"]))[0]["plan"]
        return record, rerun(record["trial"]).plan

    def frame(self):
        """The trials as a data frame, one row each, in order."""
        records = self.journal.records()
        frame = pd.DataFrame([records[slot] for slot in sorted(records)])
        return frame.astype({"loss": float, "marginal_error": float}) if len(frame) else frame

    def _least_loss(self):
        return min(
            (r["loss"] for r in self.journal.records().values() if r["status"] == "complete"), default=np.inf
        )

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


def make_sampler(name, seed):
    """An Optuna sampler by name: `tpe` or `random`."""
    return {"tpe": optuna.samplers.TPESampler, "random": optuna.samplers.RandomSampler}[name](seed=seed)


def suggest_epsilon(records, slot, epsilon, *, sampler, seed):
    """Epsilon of one trial by an Optuna sampler, log-uniform prior.

    Only trials of earlier generations count as history and the sampler is seeded by slot, so the value is the same
    whatever the order, the number of workers or the interruptions.
    """
    low, high = epsilon
    distribution = FloatDistribution(low, high, log=True)
    history = [records[k] for k in sorted(records) if k < slot - slot % GENERATION]
    with quiet():
        study = optuna.create_study(
            sampler=make_sampler(sampler, int(np.random.default_rng([seed, slot]).integers(2**31)))
        )
        for record in history:
            complete = record["status"] == "complete"
            study.add_trial(
                create_trial(
                    state=TrialState.COMPLETE if complete else TrialState.FAIL,
                    value=record["loss"] if complete else None,
                    params={"epsilon": record["epsilon"]},
                    distributions={"epsilon": distribution},
                )
            )
        return study.ask({"epsilon": distribution}).params["epsilon"]
