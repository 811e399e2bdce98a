"""How well the best fixed answers agree with people's repeated odd-one-out judgements."""

import pandas as pd
from repalign.jobs.job import job
from repalign.measures.odd_one_out import noise_ceiling
from repalign.storage.artefacts import read_arrays, write_table

with job(snakemake) as log:
    arrays, _ = read_arrays(snakemake.input[0])
    if "repeated" in arrays:
        ceiling, origin, n = noise_ceiling(arrays["repeated"]), "repeated triplets", len(arrays["repeated"])
    else:
        ceiling, origin, n = snakemake.params.published, "config", 0
    write_table(snakemake.output[0], pd.DataFrame({"noise_ceiling": [ceiling], "origin": [origin], "n": [n]}))
    log.info("noise ceiling %s from %s", ceiling, origin)
