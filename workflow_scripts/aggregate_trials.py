"""Every trial of every alignment, and every run of the sensitivity maps, in one table each."""

import pandas as pd
from repalign.artefacts import read_table, write_table
from repalign.job import job

KEYS = ["human", "model", "layer"]
COLUMNS = [*KEYS, "epsilon", "seed", "loss", "top1", "category_top1", "converged", "reason"]

with job(snakemake.log[0]) as log:
    params, files = snakemake.params, snakemake.input

    def stacked(paths):
        """The tables of all alignments, with their keys."""
        for key, path in zip(params.alignments, paths, strict=True):
            yield read_table(path).assign(**dict(zip(KEYS, key, strict=True)))

    scores = read_table(files.scores)
    top = scores[scores["metric"] == "gwot_top1"].set_index(KEYS)["value"]
    trials = pd.concat(stacked(files.trials), ignore_index=True)
    trials["paradigm"] = [params.paradigms[name] for name in trials["model"]]
    # The best plan is the one of the lowest loss, and only its matching is known.
    usable = trials["loss"].where(trials["status"] == "complete")
    trials["best"] = usable.notna() & (
        usable == usable.groupby([trials[key] for key in KEYS]).transform("min")
    )
    trials["top1"] = top.reindex(pd.MultiIndex.from_frame(trials[KEYS])).to_numpy()
    trials.loc[~trials["best"], "top1"] = float("nan")
    write_table(snakemake.output.trials, trials)
    runs = list(stacked(files.sensitivity)) if files.sensitivity else [pd.DataFrame(columns=COLUMNS)]
    write_table(snakemake.output.sensitivity, pd.concat(runs, ignore_index=True)[COLUMNS])
    log.info("%d trials of %d alignments", len(trials), len(params.alignments))
