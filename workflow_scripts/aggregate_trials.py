"""Every trial of every alignment in one table."""

import pandas as pd
from repalign.jobs.job import job
from repalign.storage.artefacts import read_table, write_table

KEYS = ["human", "model", "layer"]

with job(snakemake) as log:
    params = snakemake.params
    frames = [
        read_table(path).assign(**dict(zip(KEYS, key, strict=True)))
        for key, path in zip(params.alignments, snakemake.input, strict=True)
    ]
    trials = pd.concat(frames, ignore_index=True)
    trials["paradigm"] = [params.paradigms[name] for name in trials["model"]]
    # The plan that was kept is the one of the lowest loss.
    usable = trials["loss"].where(trials["status"] == "complete")
    lowest = usable.groupby([trials[key] for key in KEYS]).transform("min")
    trials["best"] = usable.notna() & (usable == lowest)
    write_table(snakemake.output[0], trials)
    log.info("%d trials of %d alignments", len(trials), len(frames))
