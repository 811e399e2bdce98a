"""Which objects every plan of the study finds, and their closest partners."""

import pandas as pd
from repalign.analysis.object_matching import object_matches
from repalign.jobs.job import job
from repalign.storage.artefacts import read_arrays, read_table, write_table

with job(snakemake) as log:
    params, files = snakemake.params, snakemake.input
    concepts = read_table(files.concepts).set_index("object")
    frames = []
    for (human, model, layer), path in zip(params.alignments, files.plans, strict=True):
        if params.readouts[model] != layer:
            continue
        arrays, metadata = read_arrays(path, ["plan"])
        known = concepts.loc[metadata["objects"]].reset_index()
        frame = object_matches(arrays["plan"], known, min(params.partners, len(known)))
        for position, (name, value) in enumerate((("human", human), ("model", model), ("layer", layer))):
            frame.insert(position, name, value)
        frames.append(frame)
    table = pd.concat(frames, ignore_index=True)
    write_table(snakemake.output[0], table)
    log.info("%d rows of %d plans", len(table), len(frames))
