"""How a study was made: packages, revisions, hashes, time."""

import platform
import sys
from importlib import metadata
from pathlib import Path

import pandas as pd

from repalign.storage.checksums import sha256_of

PACKAGES = (
    *(
        "repalign",
        "snakemake",
        "numpy",
        "scipy",
        "pandas",
        "scikit-learn",
        "statsmodels",
        "torch",
        "torchvision",
    ),
    *("timm", "open_clip_torch", "transformers", "optuna", "pot", "matplotlib"),
)


def versions():
    """Python, platform and the packages that touch a result: list of (name, version)."""
    found = [("Python", sys.version.split()[0]), ("platform", platform.platform())]
    for name in PACKAGES:
        try:
            found.append((name, metadata.version(name)))
        except metadata.PackageNotFoundError:
            continue
    return found


def runtimes(folder, device_logs):
    """Time and memory of every rule, from its benchmark files.

    Parameters
    ----------
    folder : path of `benchmarks`: `<rule>.tsv` or `<rule>/**/*.tsv`
    device_logs : path of `logs`; a job whose log says `device: cuda` counts as GPU time

    Returns
    -------
    data frame: rule, jobs, hours (wall), cpu_hours, gpu_hours, peak_mb; the longest first
    """
    folder, rows = Path(folder), []
    for path in sorted(folder.rglob("*.tsv")):
        parts = path.relative_to(folder).with_suffix("").parts
        record = pd.read_csv(path, sep="\t").iloc[-1]
        log = Path(device_logs).joinpath(*parts).with_suffix(".log")
        on_gpu = log.is_file() and "device: cuda" in log.read_text(encoding="utf-8", errors="replace")
        hours = record["s"] / 3600
        cpu = pd.to_numeric(record.get("cpu_time"), errors="coerce") / 3600
        peak = pd.to_numeric(record.get("max_rss"), errors="coerce")
        rows.append(
            {
                "rule": parts[0],
                "jobs": 1,
                "hours": hours,
                "cpu_hours": cpu,
                "gpu_hours": hours * on_gpu,
                "peak_mb": peak,
            }
        )
    columns = ["rule", "jobs", "hours", "cpu_hours", "gpu_hours", "peak_mb"]
    table = pd.DataFrame(rows, columns=columns)
    how = {"jobs": "sum", "hours": "sum", "cpu_hours": "sum", "gpu_hours": "sum", "peak_mb": "max"}
    return table.groupby("rule").agg(how).reset_index().sort_values("hours", ascending=False, kind="stable")


def hashes(paths):
    """(path, first 16 digits of the sha256) of every file."""
    return [(str(path), sha256_of(path)[:16]) for path in paths]
