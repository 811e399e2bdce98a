"""How well the best fixed answers agree with people's repeated odd-one-out judgements."""

import numpy as np
import pandas as pd
from repalign.jobs.job import job
from repalign.measures.odd_one_out import ENOUGH_ANSWERS, median_answers, noise_ceiling
from repalign.storage.artefacts import read_arrays, write_table

with job(snakemake) as log:
    arrays, _ = read_arrays(snakemake.input[0])
    if "repeated" in arrays:
        responses = arrays["repeated"]
        lower, upper, _ = noise_ceiling(responses)
        origin, n, answers = "repeated triplets", len(responses), median_answers(responses)
        if answers < ENOUGH_ANSWERS:
            log.warning(
                "The repeated triplets have %g answers each (median), so the noise ceiling lies between %.3f and "
                "%.3f; %d or more bring the two together.",
                *(answers, lower, upper, ENOUGH_ANSWERS),
            )
    else:
        lower, upper, origin, n, answers = np.nan, snakemake.params.published, "config", 0, np.nan
    ceiling = {"noise_ceiling": upper, "lower": lower, "origin": origin, "n": n, "answers": answers}
    write_table(snakemake.output[0], pd.DataFrame([ceiling]))
    log.info("noise ceiling %s (leave one out %s) from %s", upper, lower, origin)
