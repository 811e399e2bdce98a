"""Every trial of every alignment in one table, the kept one with its matching."""

import pandas as pd
from repalign.artefacts import read_table, write_table
from repalign.job import job

KEYS = ["human", "model", "layer"]

with job(snakemake.log[0]) as log:
    params, files = snakemake.params, snakemake.input
    scores = read_table(files.scores)
    top = scores[scores["metric"] == "gwot_top1"].set_index(KEYS)["value"]
    frames = [
        read_table(path).assign(**dict(zip(KEYS, key, strict=True)))
        for key, path in zip(params.alignments, files.trials, strict=True)
    ]
    trials = pd.concat(frames, ignore_index=True)
    trials["paradigm"] = [params.paradigms[name] for name in trials["model"]]
    # The best plan is the one of the lowest loss, and only its matching is known.
    usable = trials["loss"].where(trials["status"] == "complete")
    lowest = usable.groupby([trials[key] for key in KEYS]).transform("min")
    trials["best"] = usable.notna() & (usable == lowest)
    trials["top1"] = top.reindex(pd.MultiIndex.from_frame(trials[KEYS])).to_numpy()
    trials.loc[~trials["best"], "top1"] = float("nan")
    write_table(snakemake.output[0], trials)
    log.info("%d trials of %d alignments", len(trials), len(frames))
