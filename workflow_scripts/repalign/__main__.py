"""The command `repalign`: what needs no workflow."""

import argparse
import sys
from pathlib import Path

from repalign.analysis.comparison import compare_studies, load_scores, summary
from repalign.storage.artefacts import write_table


def main(arguments=None):
    """`repalign compare A B`: two studies, names below results/ or folders; exit status 2 where one is missing."""
    parser = argparse.ArgumentParser(prog="repalign", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="command")
    compare = commands.add_parser("compare", help="what changed between two studies, beyond the intervals")
    compare.add_argument("first", help="a study: its name, or its folder of results")
    compare.add_argument("second", help="another one")
    compare.add_argument("--out", type=Path, help="write every score side by side to this .tsv or .parquet")
    options = parser.parse_args(arguments)
    folders = []
    for study in (options.first, options.second):
        found = [
            path
            for path in (Path(study), Path("results", study))
            if (path / "aggregate/layer_scores.parquet").is_file()
        ]
        if not found:
            sys.stderr.write(
                f"repalign: there is no {study}/aggregate/layer_scores.parquet, nor below results/; run that study.\n"
            )
            return 2
        folders.append(found[0])
    comparison = compare_studies(*map(load_scores, folders))
    sys.stdout.write("\n".join(summary(comparison, (options.first, options.second))) + "\n")
    if options.out:
        write_table(options.out, comparison)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
