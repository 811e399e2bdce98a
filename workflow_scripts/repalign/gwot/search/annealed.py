"""Annealed search: many starts solved loosely at a large epsilon, the best of them followed down and polished."""

import numpy as np

from repalign.gwot.search.ladder import CLOSE, LOOSE, descend
from repalign.gwot.search.refine import hop_basins
from repalign.gwot.search.trials import chunked, suggest_epsilon, survivors
from repalign.gwot.starts.kinds import start_plan

STAGES = ("screen", "anneal", "polish")
SHARES = (0.5, 0.85, 1.0)  # of the time budget, by the end of each stage
TOP = (0.15, 0.7)  # where starts enter, in units of the critical epsilon


def annealed_search(
    search,
    *,
    epsilon,
    trials,
    starts=("profile", "uniform", "random"),
    keep=25.0,
    finalists=3,
    hops=0,
    screen=None,
):
    """Screen `trials` starts, anneal the best share, polish the finalists.

    Every start enters at its own epsilon, log-uniform below the critical one (above which no structure forms), and
    is solved loosely down to the screening epsilon, where losses compare. Optuna's percentile pruner keeps the best;
    they follow a geometric ladder down to the low end of the range with warm-started potentials, and the
    `finalists` with the lowest loss there are solved to tolerance.

    Parameters
    ----------
    search : Search
    epsilon : (float, float)
        What is reported lies within; the ladder may start above.
    trials : int
    starts : sequence of str
        Kinds of start (`repalign.gwot.starts.kinds`). Deterministic kinds are used once; the last kind fills the rest.
    keep : float
        Percentage of starts that pass the screening.
    finalists : int
    hops : int
        Basin hops of each finalist after its polish (native solver only).
    screen : float, optional
        Screening epsilon; by default the geometric mean of the critical epsilon and the low end of the range.

    Returns
    -------
    A function that reruns one stage of one trial.
    """
    exact, seed = search.solver, search.seed
    solver = exact.coarse()
    low = epsilon[0]
    critical = max(search.problem.critical_epsilon, low)
    screen = screen or float(np.sqrt(0.15 * critical * low))
    screen = float(np.clip(screen, low, max(critical, low)))
    kinds = [starts[min(slot, len(starts) - 1)] for slot in range(trials)]
    tops = [
        max(suggest_epsilon([], slot, [t * critical for t in TOP], sampler="random", seed=seed), screen)
        for slot in range(trials)
    ]
    states = {}

    def advance(stage, slots):
        if stage == "screen":
            plans = np.stack([start_plan(search.problem, kinds[k], [seed, k]) for k in slots])
            state, _ = solver.run(solver.state(plans, [tops[k] for k in slots]), **LOOSE)
            state, progress = descend(solver, state, screen, **LOOSE)
        else:
            before = STAGES[STAGES.index(stage) - 1]
            # A resumed search lacks these states. Remade in the batches they came from, they are equal to the bit.
            for chunk in chunked(entered[before], exact.batch):
                if any(k in slots and (before, k) not in states for k in chunk):
                    advance(before, chunk)
            state = solver.join([states[STAGES[STAGES.index(stage) - 1], k] for k in slots])
            if stage == "anneal":
                state, progress = descend(solver, state, low, **CLOSE)
            else:
                state, progress = exact.finish(state)
                if hops:
                    hopped = [
                        hop_basins(exact, state[i : i + 1], hops, seed=[seed, k])[0]
                        for i, k in enumerate(slots)
                    ]
                    state, progress = exact.run(exact.join(hopped))
        used = exact if stage == "polish" else solver
        state = used.balance(state)
        for i, k in enumerate(slots):
            states[stage, k] = state[i : i + 1]
        return [(s, kinds[k]) for s, k in zip(used.solutions(state, progress), slots, strict=True)]

    entered, slots = {}, range(trials)
    for stage, share in zip(STAGES, SHARES, strict=True):
        entered[stage] = slots
        search.run(stage, slots, lambda chunk, stage=stage: advance(stage, chunk), share=share)
        records = search.journal.records(stage)
        slots = survivors(records, keep) if stage == "screen" else survivors(records, 100.0)[:finalists]

    def rerun(slot, stage):
        chunk = next(c for c in chunked(entered[stage], exact.batch) if slot in c)
        return advance(stage, chunk)[chunk.index(slot)][0]

    return rerun
