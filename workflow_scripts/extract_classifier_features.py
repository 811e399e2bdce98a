"""The features that the linear classifier of a network reads, for an image set."""

import torch
from repalign.devices import choose_device
from repalign.inputs.images import ImageSet
from repalign.inputs.representations import Embeddings, load_embeddings, write_embeddings
from repalign.jobs.job import job
from repalign.models.extraction import Settings, extract
from repalign.models.load import load
from repalign.models.network import ModelSpec
from repalign.storage.artefacts import read_arrays, read_table

with job(snakemake) as log:
    row, settings, files = snakemake.params.row, snakemake.params.settings, snakemake.input
    layer = read_arrays(files.head)[1]["layer"]
    extracted = load_embeddings(files.model)
    if layer is None or layer in extracted.layers:
        # Nothing to read, or read already.
        own = {name: array for name, array in extracted.layers.items() if name == layer}
        write_embeddings(
            snakemake.output[0], Embeddings(own, extracted.objects), {"code": snakemake.params.code}
        )
        log.info("the layer is %s: no pass over the images", layer)
    else:
        torch.set_num_threads(snakemake.threads)
        extract(
            load(ModelSpec.of_row(snakemake.wildcards.model, row)),
            ImageSet.from_table(read_table(files.images)),
            [layer],
            snakemake.output[0],
            pooling=row.get("pooling", ""),
            settings=Settings.from_config(settings, choose_device(settings["device"])),
            average_objects=snakemake.params.average_objects,
            metadata={"row": row, "code": snakemake.params.code},
            model=snakemake.wildcards.model,
        )
