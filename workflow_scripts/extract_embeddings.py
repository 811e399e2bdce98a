"""Read the layers of a network for an image set, from one pass over the images."""

import torch
from repalign.devices import choose_device
from repalign.inputs.images import ImageSet
from repalign.jobs.job import job
from repalign.models.extraction import Settings, extract
from repalign.models.load import load
from repalign.models.network import ModelSpec
from repalign.models.precision import precision_effect
from repalign.storage.artefacts import read_table
from tqdm import tqdm

with job(snakemake) as log:
    torch.set_num_threads(snakemake.threads)
    row, model = snakemake.params.row, snakemake.wildcards.model
    settings = Settings.from_config(
        snakemake.params.settings, choose_device(snakemake.params.settings["device"])
    )
    network = load(ModelSpec.of_row(model, row))
    images = ImageSet.from_table(read_table(snakemake.input.images))
    log.info("device: %s; preprocessing: %s", settings.device, network.description["preprocessing"])
    if settings.precision != "fp32":
        effect = precision_effect(
            network,
            images,
            row["layers"],
            settings.precision,
            pooling=row.get("pooling", ""),
            device=settings.device,
            batch_size=settings.batch_size,
        )
        log.info("RSA of %s with fp32: %s", settings.precision, {k: round(v, 5) for k, v in effect.items()})
    with tqdm(total=len(images), unit="image", desc=model) as bar:
        result = extract(
            network,
            images,
            row["layers"],
            snakemake.output[0],
            pooling=row.get("pooling", ""),
            settings=settings,
            average_objects=snakemake.params.average_objects,
            metadata={"row": row, "code": snakemake.params.code},
            model=model,
            progress=bar.update,
        )
        rate = bar.format_dict["rate"]
    log.info("%d images, %.1f a second, in batches of %d", result.n_images, rate or 0, result.batch_size)
    for image, reason in result.skipped.items():
        log.warning("left out %s: %s", image, reason)
