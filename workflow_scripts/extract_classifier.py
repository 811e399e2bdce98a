"""Store the linear classifier that a network ends with, and the layer that it reads."""

from repalign.jobs.job import job
from repalign.models.classifier import final_classifier
from repalign.models.load import load
from repalign.models.network import ModelSpec
from repalign.storage.artefacts import write_arrays

with job(snakemake) as log:
    row, model = snakemake.params.row, snakemake.wildcards.model
    network = load(ModelSpec.of_row(model, row))
    found = final_classifier(network, row["layers"], row.get("pooling", ""))
    arrays = {} if found is None else {"weight": found.weight, "bias": found.bias}
    metadata = {
        "model": model,
        "layer": found and found.layer,
        "classes": list(found.classes) if found else [],
        "row": row,
        "network": network.description,
        "code": snakemake.params.code,
    }
    write_arrays(snakemake.output[0], arrays, metadata)
    log.info("%s", f"{len(found.bias)} classes from {found.layer}" if found else "no linear classifier")
