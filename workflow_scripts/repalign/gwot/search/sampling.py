"""Optuna's part in a search: which epsilon to try, which trials to keep."""

import numpy as np
import optuna
from optuna.distributions import FloatDistribution
from optuna.trial import TrialState, create_trial

from repalign.gwot.search.journal import quiet

SAMPLERS = {"tpe": optuna.samplers.TPESampler, "random": optuna.samplers.RandomSampler}


def suggest_epsilon(history, slot, epsilon, *, sampler, seed):
    """Epsilon of one trial by an Optuna sampler (`tpe` or `random`), log-uniform prior.

    The sampler is seeded by slot, so the value depends on nothing but the arguments. `history` holds the records that
    it may learn from.
    """
    distribution = FloatDistribution(*epsilon, log=True)
    number = int(np.random.default_rng([seed, slot]).integers(2**31))
    with quiet():
        study = optuna.create_study(sampler=SAMPLERS[sampler](seed=number))
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


def survivors(records, keep):
    """Slots that Optuna's percentile pruner lets pass, best first.

    Parameters
    ----------
    records : dict of slot to record
    keep : float
        Percentage of the usable trials to keep; at least one.
    """
    usable = {slot: record for slot, record in records.items() if record["status"] == "complete"}
    with quiet():
        study = optuna.create_study()
        pruner = optuna.pruners.PercentilePruner(keep, n_startup_trials=0)
        for slot, record in sorted(usable.items()):
            study.add_trial(
                create_trial(
                    value=record["loss"], intermediate_values={0: record["loss"]}, user_attrs={"slot": slot}
                )
            )
        passed = [trial for trial in study.get_trials(deepcopy=False) if not pruner.prune(study, trial)]
    slots = {trial.user_attrs["slot"] for trial in passed}
    return sorted(slots, key=lambda slot: (usable[slot]["loss"], slot))
