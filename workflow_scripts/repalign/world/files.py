"""Write a simulated world in the layout and formats of the THINGS data."""

import numpy as np
import pandas as pd

from repalign.storage.artefacts import atomic, write_table, write_text
from repalign.world.simulation import (
    plant_model,
    plant_network,
    simulate_repeated_triplets,
    simulate_triplets,
)


def write_world(world, folder, things, settings, seed):
    """Write objects, categories, the human embedding, triplets and planted models.

    Files without object names are written in another order (`file_order.txt`), as in THINGS, so that a loader that
    matches objects by position fails.

    Parameters
    ----------
    world : repalign.world.simulation.World
    folder : Path
    things : dict of file names (the config key `things`)
    settings : dict with triplets, repeated_triplets, models (name: level) and networks (name: layers, supervision)
    seed : int

    Returns
    -------
    float, the expected noise ceiling of the repeated triplets
    """
    n = len(world.objects)
    rng = np.random.default_rng([seed, n])
    order = rng.permutation(n)
    position = np.argsort(order)
    write_text(folder / things["objects"], "\n".join(world.objects) + "\n")
    write_text(folder / things["triplets_order"], "\n".join(world.objects[i] for i in order) + "\n")
    _write_categories(world, folder, things)
    _save(folder / "human" / "people.npy", world.latent)
    for number, (name, level) in enumerate(settings["models"].items()):
        _save(folder / "models" / f"{name}.npy", plant_model(world, level, seed=[seed, number])[order])
    for number, (name, network) in enumerate(settings["networks"].items()):
        layers = plant_network(world, network["layers"], network["supervision"], seed=[seed, n, number, 3])
        with atomic(folder / "models" / f"{name}.npz") as temporary:
            np.savez(temporary, **{layer: array[order] for layer, array in layers.items()})
    triplets = simulate_triplets(world, settings["triplets"], seed=[seed, n, 1])
    _save_text(folder / things["triplets"], position[triplets], " ")
    responses, ceiling = simulate_repeated_triplets(world, settings["repeated_triplets"], seed=[seed, n, 2])
    responses[:, :3] = position[responses[:, :3] - 1] + 1
    _save_text(folder / things["repeated_triplets"], responses, "\t")
    return ceiling


def _write_categories(world, folder, things):
    exclusive = pd.get_dummies(pd.Series(world.category, index=world.objects), dtype=int)
    with atomic(folder / things["categories"]) as temporary:
        exclusive.to_csv(temporary, lineterminator="\n")
    names = sorted(set().union(*world.categories))
    members = [[int(name in own) for name in names] for own in world.categories]
    write_table(folder / things["memberships"], pd.DataFrame(members, columns=names))


def _save(path, array):
    with atomic(path) as temporary:
        np.save(temporary, array)


def _save_text(path, array, separator):
    with atomic(path) as temporary:
        np.savetxt(temporary, array, fmt="%d", delimiter=separator)
