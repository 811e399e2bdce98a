"""The `snakemake` object of one job without a run of Snakemake, to step through its script in a debugger.

The only module of the library that imports snakemake, and only inside the function that needs it.
"""

import re
from pathlib import Path

from repalign.errors import InputError, listed
from repalign.study.validation import nearest


def mock_job(rule, /, *, configfiles=(), cores=1, snakefile="Snakefile", **wildcards):
    """The object that Snakemake would give the script of one job.

    Call it in the folder where `snakemake` is typed, with the config files that are given there. Nothing is run: the
    inputs must be there already, as `snakemake <output> --until <rule before>` leaves them.

    >>> import runpy  # doctest: +SKIP
    >>> runpy.run_path("workflow_scripts/score_rsa.py", {"snakemake": mock_job("score_rsa", model="clip")})

    Parameters
    ----------
    rule : str
        Name of the rule, which is that of its script too.
    configfiles : sequence of path
        Overlays, such as `config/things.yaml`.
    cores : int
        The most threads that the job gets.
    snakefile : path
    **wildcards : str
        The wildcards of the rule by name: `model="clip", layer="visual"`.

    Returns
    -------
    snakemake.script.Snakemake, with input, output, params, wildcards, threads, resources, log, config and rule.

    Raises
    ------
    InputError
        No such rule, or other wildcards than its own.
    """
    from snakemake.api import SnakemakeApi
    from snakemake.dag import DAG
    from snakemake.jobs import Job
    from snakemake.script import Snakemake
    from snakemake.settings.types import (
        ConfigSettings,
        DAGSettings,
        OutputSettings,
        Quietness,
        ResourceSettings,
    )

    with SnakemakeApi(OutputSettings(quiet={Quietness.ALL})) as api:
        described = api.workflow(
            ResourceSettings(cores=cores),
            ConfigSettings(configfiles=[Path(path) for path in configfiles]),
            snakefile=Path(snakefile),
        )
        workflow = described._workflow
        workflow.dag_settings = DAGSettings()
        found = _checked(rule, workflow, wildcards)
        job = Job(found, DAG(workflow, rules=[]), wildcards)
        return Snakemake(
            job.input,
            job.output,
            job.params,
            job.wildcards,
            job.threads,
            job.resources,
            job.log,
            workflow.config,
            rule,
            None,
            str(Path(snakefile).resolve().parent / "workflow_scripts"),
        )


def _checked(name, workflow, wildcards):
    """The rule of a name, which has exactly these wildcards and allows their values."""
    rules = {rule.name: rule for rule in workflow.rules}
    if name not in rules:
        raise InputError(f"There is no rule {name}; {nearest(name, rules)}.")
    rule = rules[name]
    if rule.wildcard_names != set(wildcards):
        raise InputError(
            f"The rule {name} has the wildcards {_named(rule.wildcard_names)}, not {_named(wildcards)}."
        )
    constraints = {**workflow.wildcard_constraints, **rule.wildcard_constraints}
    for wildcard, value in wildcards.items():
        allowed = constraints.get(wildcard, ".+")
        if not re.fullmatch(allowed, value):
            raise InputError(
                f"The rule {name} has no job with {wildcard}={value}; the study allows {allowed}."
            )
    return rule


def _named(names):
    return listed(sorted(names)) or "(none)"
