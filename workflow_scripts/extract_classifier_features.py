"""The features that the linear classifier of a network reads, for an image set."""

import torch
from repalign.inputs.images import ImageSet
from repalign.inputs.representations import Embeddings, load_embeddings, write_embeddings
from repalign.jobs.job import job
from repalign.models.devices import choose_device
from repalign.models.extraction import extract
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
        fields = {key: row.get(key, "") for key in ("source", "identifier", "weights", "revision")}
        extract(
            load(ModelSpec(model=snakemake.wildcards.model, **fields)),
            ImageSet.from_table(read_table(files.images)),
            [layer],
            snakemake.output[0],
            workers=settings["workers"],
            on_bad_image=settings["on_bad_image"],
            average_objects=snakemake.params.average_objects,
            metadata={"row": row, "code": snakemake.params.code},
            model=snakemake.wildcards.model,
            pooling=row.get("pooling", ""),
            device=choose_device(settings["device"]),
            precision=settings["precision"],
            batch_size=settings["batch_size"],
        )
