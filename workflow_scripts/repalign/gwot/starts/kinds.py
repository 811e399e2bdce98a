"""Every kind of start by name."""

from repalign.errors import InputError
from repalign.gwot.starts.plans import profile_plan, random_plan, sliced_plan, spectral_plan, uniform_plan
from repalign.gwot.starts.reduced import consensus_plan, multiscale_plan

STARTS = {
    "random": lambda problem, seed: random_plan(problem.p, problem.q, seed),
    "uniform": lambda problem, seed: uniform_plan(problem.p, problem.q),
    "profile": lambda problem, seed: profile_plan(problem),
    "spectral": lambda problem, seed: spectral_plan(problem),
    "sliced": lambda problem, seed: sliced_plan(problem),
    "multiscale": multiscale_plan,
    "consensus": consensus_plan,
}


def start_plan(problem, kind, seed):
    """The initial plan of a kind: one of `STARTS`; no kind uses labels."""
    if kind not in STARTS:
        raise InputError(f"Unknown start '{kind}'; choose one of {', '.join(STARTS)}.")
    return STARTS[kind](problem, seed)
