"""Bring the weights of a network into the caches of its library, and say which they are."""

import pandas as pd
from repalign.artefacts import write_table
from repalign.job import job
from repalign.models.load import load
from repalign.models.network import ModelSpec

with job(snakemake.log[0]) as log:
    row, model = snakemake.params.row, snakemake.wildcards.model
    fields = {key: row.get(key, "") for key in ("source", "identifier", "weights", "revision")}
    found = load(ModelSpec(model=model, **fields)).description
    facts = {key: found.get(key, "") for key in ("weights", "sha256", "commit")}
    # What to write into the column `revision` of the sheet.
    revision = facts["commit"] or facts["sha256"]
    write_table(snakemake.output[0], pd.DataFrame([{"model": model, "revision": revision, **facts}]))
    log.info("%s", facts)
