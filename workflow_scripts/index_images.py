"""List the images of an image set: which image stands for which object."""

from repalign.inputs import images
from repalign.inputs.things import OTHERS, membership_matrix
from repalign.jobs.job import job
from repalign.storage.artefacts import read_table, write_table

with job(snakemake) as log:
    params, settings = snakemake.params, snakemake.params.images
    concepts = read_table(snakemake.input.concepts)
    chosen = images.index_images(params.folder, tuple(concepts["object"]))
    log.info("%d images of %d objects", len(chosen), len(concepts))
    if snakemake.wildcards.image_set == "behaviour":
        chosen, replaced = images.behaviour(chosen, params.references)
        if replaced:
            log.warning(
                "not the image that people judged: %d objects (%s)", len(replaced), ", ".join(replaced)
            )
    elif snakemake.wildcards.image_set == "category":
        members, names = membership_matrix(concepts, settings["categories"])
        kept = [i for i, name in enumerate(names) if name != OTHERS]
        names = [names[i] for i in kept]
        chosen = images.category(chosen, members[:, kept], names, settings["per_category"], params.seed)
    write_table(snakemake.output[0], chosen.to_table())
    log.info("%d images chosen", len(chosen))
