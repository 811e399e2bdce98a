"""Known vulnerabilities of the locked packages: `make advisories DATABASE=folder` renews their table, tests look it up.

DATABASE is a clone of https://github.com/pypa/advisory-database. The table keeps, of each advisory on a locked package,
its number and the affected versions: from `introduced` on and below `fixed` (empty: up to now).
"""

import csv
import re
import subprocess
import sys
from pathlib import Path

import yaml
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[1]
LOCK = ROOT / "envs/requirements.lock"
TABLE = ROOT / "tests/bad_input/advisories.tsv"
FIELDS = ["package", "advisory", "introduced", "fixed"]


def locked():
    """Version by package of the lock."""
    return dict(re.findall(r"^([a-z0-9._-]+)==([^ ;\\]+)", LOCK.read_text(), re.MULTILINE))


def known():
    """Rows of the table, and the day of the database that they are from."""
    first, *lines = TABLE.read_text().splitlines()
    return list(csv.DictReader(lines, delimiter="\t")), first.split()[-1]


def affected(row, version):
    """Whether a version lies in the range of a row."""
    above = Version(version) >= Version(row["introduced"])
    return above and (not row["fixed"] or Version(version) < Version(row["fixed"]))


def rows_of(advisory, name):
    """A row for each range of versions of an advisory."""
    for entry in advisory["affected"]:
        for span in entry.get("ranges", ()):
            if span["type"] == "ECOSYSTEM" and not advisory.get("withdrawn"):
                events = span["events"]
                starts = [event["introduced"] for event in events if "introduced" in event]
                ends = [event["fixed"] for event in events if "fixed" in event]
                for number, start in enumerate(starts):
                    yield [name, advisory["id"], start, ends[number] if number < len(ends) else ""]


def renew(database):
    """Write the table anew from a clone of the database."""

    def git(*arguments):
        command = ["git", "-C", str(database), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    names, rows = locked(), []
    for path in git("ls-tree", "-r", "--name-only", "HEAD", "vulns/").splitlines():
        if (name := path.split("/")[1]) in names:
            rows += rows_of(yaml.safe_load(git("show", f"HEAD:{path}")), name)
    day = git("log", "-1", "--format=%cs").strip()
    with open(TABLE, "w", newline="") as file:
        file.write(
            f"# Facts of PyPA's advisory database (https://github.com/pypa/advisory-database) of {day}\n"
        )
        writer = csv.writer(file, delimiter="\t", lineterminator="\n")
        writer.writerow(FIELDS)
        writer.writerows(sorted(rows))
    print(f"{len(rows)} ranges of versions of {len({row[0] for row in rows})} packages, as of {day}")


if __name__ == "__main__":
    renew(sys.argv[1])
