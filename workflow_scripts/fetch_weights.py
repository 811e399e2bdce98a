"""Download and open the weights of a network, so that its extraction needs no internet and cannot fail for them."""

import json

from repalign.jobs.job import job
from repalign.models.load import load
from repalign.models.network import ModelSpec
from repalign.storage.artefacts import write_text

with job(snakemake) as log:
    row = snakemake.params.row
    network = load(ModelSpec.of_row(snakemake.wildcards.model, row))
    record = {key: network.description.get(key, "") for key in ("weights", "sha256", "commit")}
    write_text(snakemake.output[0], json.dumps(record, sort_keys=True) + "\n")
    log.info("%s", record)
