"""What `snakemake --profile slurm` would submit, and whether this cluster would take it; submits nothing.

usage: make cluster-check [ARGS="--configfile config/planted.yaml"]
"""

import collections
import re
import shutil
import subprocess
import sys
from pathlib import Path

import yaml

PROFILE = Path(__file__).parent
FACTS = ("slurm_partition", "slurm_account", "gres", "constraint", "runtime", "mem_mb")


def local_rules(folder):
    """The rules that run where snakemake was started, as the workflow declares them."""
    lists = [
        names
        for path in Path(folder, "rules").glob("*.smk")
        for names in re.findall(r"^\s*localrules:((?:\s+\w+,)+)", path.read_text(), re.MULTILINE)
    ]
    return {"all", *re.findall(r"\w+", " ".join(lists))}


def jobs_of(dry_run, local):
    """(rule, is local, resources) of every job of a dry run's listing."""
    for block in re.split(r"\n(?= *(?:local)?rule \w+:)", dry_run)[1:]:
        rule = re.match(r" *(?:local)?rule (\w+):", block)[1]
        line = re.search(r"^\s*resources: (.*)$", block, re.MULTILINE)
        pairs = (pair.split("=", 1) for pair in line[1].split(", ")) if line else ()
        threads = re.search(r"^\s*threads: (\d+)$", block, re.MULTILINE)
        yield rule, rule in local, {**dict(pairs), "threads": threads[1] if threads else "1"}


def summary(jobs, profile):
    """Lines of a table: what of each rule would be submitted, and how."""
    groups = dict(entry.split("=") for entry in profile["groups"])
    parts = {name: int(n) for name, n in (entry.split("=") for entry in profile["group-components"])}
    found = collections.defaultdict(list)
    for rule, local, resources in jobs:
        found[rule, local].append(resources)
    yield f"{'rule':28}{'jobs':>6} {'submissions':>12}  {'partition':12}{'gpu':14}{'memory MB':>10}{'minutes':>9}"
    for (rule, local), each in found.items():
        largest = {key: max((number(r.get(key)) for r in each), default=0) for key in ("mem_mb", "runtime")}
        if local:
            where, times = "here, not in the queue", ""
        else:
            size = parts.get(groups.get(rule), 1)
            times = f"{'<= ' if size > 1 else ''}{-(-len(each) // size)}"
            where = f"{each[0].get('slurm_partition') or '(default)':12}{each[0].get('gres') or '-':14}"
            where += f"{largest['mem_mb']:>10}{largest['runtime']:>9}"
        yield f"{rule:28}{len(each):>6} {times:>12}  {where}"


def number(text):
    return int(text) if str(text).isdecimal() else 0


def tried(jobs):
    """The cluster's own answer (`sbatch --test-only`) to one job of every kind of request."""
    kinds = {}
    for rule, local, resources in jobs:
        if not local:
            key = tuple(resources.get(name, "") for name in FACTS[:4])
            previous = kinds.get(key, (rule, resources))
            kinds[key] = max(previous, (rule, resources), key=lambda kind: number(kind[1].get("runtime")))
    for rule, resources in kinds.values():
        flags = {"-p": "slurm_partition", "-A": "slurm_account", "-t": "runtime", "--mem": "mem_mb"}
        command = ["sbatch", "--test-only", "--wrap", "true", "--cpus-per-task", resources["threads"]]
        command += [
            part
            for flag, name in flags.items()
            if resources.get(name, "") not in ("", "<TBD>")
            for part in (flag, resources[name])
        ]
        command += [f"--{name}={resources[name]}" for name in ("gres", "constraint") if resources.get(name)]
        answer = subprocess.run(command, capture_output=True, text=True)
        yield rule, answer.returncode == 0, answer.stderr.strip().removeprefix("sbatch: ")


def forgets_too_soon():
    """Why ended jobs may go unseen, or nothing: they are asked for at least every 180 seconds."""
    answer = subprocess.run(["scontrol", "show", "config"], capture_output=True, text=True)
    age = re.search(r"MinJobAge\s*=\s*(\d+)", answer.stdout)
    if age is None or int(age[1]) >= 200:
        return ""
    return (
        f"The cluster forgets ended jobs after {age[1]} s (MinJobAge), before they are asked for; ask its "
        "administrators for 300 s, the default, or set slurm-status-command to sacct and never use scancel."
    )


def main():
    profile = yaml.safe_load((PROFILE / "config.yaml").read_text())
    command = [
        sys.executable,
        "-m",
        "snakemake",
        "--profile",
        str(PROFILE),
        "-n",
        "--forceall",
        *sys.argv[1:],
    ]
    run = subprocess.run(command, capture_output=True, text=True)
    if run.returncode:
        print((run.stderr or run.stdout).strip())
        return 1
    jobs = list(jobs_of(run.stdout + run.stderr, local_rules(PROFILE.parents[1])))
    print(*summary(jobs, profile), sep="\n")
    if shutil.which("sbatch") is None:
        print("\nThere is no Slurm on this machine, so nothing was asked of it.")
        return 0
    good = True
    print("\nWhat the cluster says to one job of each kind:")
    for rule, accepted, answer in tried(jobs):
        good &= accepted
        print(f"  {'accepted' if accepted else 'REFUSED':9} {rule}: {answer}")
    if reason := forgets_too_soon():
        good = False
        print(reason)
    if not good:
        print("Mend the facts of your cluster at the top of profiles/slurm/config.yaml.")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
