"""A small simulated world of objects and people, in which the right answers are known; for the demo and the tests.

Generative model: an object is z = a u_g + b v_c + c w_o, with u, v, w normal vectors of its group (9), its category
(27, three to a group) and itself; their variance falls off as a power of the dimension's rank, as that of natural
representations does, so that no two categories have the same relations to the others. The human representation is z.
Asked for the odd one out of three objects, people keep the pair {i, j} with probability softmax(s_ij / t) over the
three pairs, where s is the cosine of z. So the noise ceiling, the expected share of judgements that agree with the most
probable answer, is known exactly.

Planted models see the objects at one level: `object` (z under a random rotation, plus noise), `category` (the same u
and v, but w of their own) or `none` (independent noise). Planted networks have layers and more or less supervision.
"""

from dataclasses import dataclass
from itertools import chain

import numpy as np

TAXONOMY = {
    "animal": ("bird", "fish", "insect"),
    "food": ("fruit", "vegetable", "dessert"),
    "clothing": ("garment", "footwear", "jewellery"),
    "furniture": ("seat", "shelf", "lamp"),
    "instrument": ("string", "wind", "drum"),
    "tool": ("blade", "hammer", "fastener"),
    "toy": ("puzzle", "doll", "ball"),
    "vehicle": ("car", "boat", "aircraft"),
    "kitchen": ("pan", "cutlery", "crockery"),
}
LEVELS = ("object", "category", "none")
GROUP_WEIGHT, CATEGORY_WEIGHT, OBJECT_WEIGHT = 0.8, 0.8, 0.4
SPECTRUM = 1.0  # the k-th dimension has variance k ** -SPECTRUM
TEMPERATURE = 0.2


@dataclass(frozen=True)
class World:
    """n objects: names, exclusive category (or 'others'), all categories, group and latent vectors (n, d).

    `latent` is z, `shared` its part without the object's own vector.
    """

    objects: tuple[str, ...]
    category: tuple[str, ...]
    categories: tuple[tuple[str, ...], ...]
    groups: np.ndarray
    latent: np.ndarray
    shared: np.ndarray


def simulate_world(n_objects=216, n_features=24, others=0.1, spectrum=SPECTRUM, seed=0):
    """Draw the objects of the world, sorted by name.

    Parameters
    ----------
    n_objects : int, at least 54 (two a category)
    n_features : int, dimensions of the latent space
    others : float, share of objects that people put in no category (and of those they put in two)
    spectrum : float, how fast the dimensions' variance falls off: that of the k-th is k ** -spectrum
    seed : int

    Returns
    -------
    World
    """
    rng = np.random.default_rng(seed)
    names = list(chain.from_iterable(TAXONOMY.values()))
    label = np.repeat(np.arange(len(names)), _sizes(n_objects, len(names)))
    group = label // 3
    u, v, w = (_normal(rows, n_features, rng, spectrum) for rows in (len(TAXONOMY), len(names), n_objects))
    shared = GROUP_WEIGHT * u[group] + CATEGORY_WEIGHT * v[label]
    latent = shared + OBJECT_WEIGHT * w

    number = np.concatenate([np.arange(1, count + 1) for count in np.bincount(label)])
    objects = [f"{names[c]}_{k:02d}" for c, k in zip(label, number, strict=True)]
    unnamed, twice = rng.random((2, n_objects)) < others
    category = ["others" if out else names[c] for c, out in zip(label, unnamed, strict=True)]
    groups = list(TAXONOMY)
    categories = [
        () if out else (names[c], groups[c // 3]) if two else (names[c],)
        for c, out, two in zip(label, unnamed, twice, strict=True)
    ]
    order = np.argsort(objects)
    columns = [tuple(column[i] for i in order) for column in (objects, category, categories)]
    return World(*columns, group[order], latent[order], shared[order])


def _normal(rows, columns, rng, spectrum=SPECTRUM):
    return rng.standard_normal((rows, columns)) * np.arange(1, columns + 1) ** (-spectrum / 2)


def configured_world(settings, seed):
    """The world of the config key `world`."""
    return simulate_world(settings["objects"], settings["features"], spectrum=settings["spectrum"], seed=seed)


def _sizes(n_objects, n_categories):
    """Category sizes that fall off linearly: unequal, as in THINGS."""
    share = np.linspace(1.5, 0.5, n_categories) / n_categories
    sizes = np.maximum(2, np.floor(n_objects * share)).astype(int)
    sizes[0] += n_objects - sizes.sum()
    return sizes


def plant_model(world, level, noise=0.1, seed=0):
    """Features of a model that sees the world at one level: 'object', 'category' or 'none'.

    Returns an (n, d) array; `noise` is the standard deviation of the noise added to every feature.
    """
    rng = np.random.default_rng(seed)
    n, d = world.latent.shape
    own = _normal(n, d, rng)
    rotation = np.linalg.qr(rng.standard_normal((d, d)))[0]
    seen = {"object": world.latent, "category": world.shared + OBJECT_WEIGHT * own, "none": own}[level]
    return seen @ rotation + noise * rng.standard_normal((n, d))


def plant_network(world, n_layers, supervision, noise=0.1, seed=0):
    """Features of every layer of a network that comes to see the world as it gets deeper.

    Layer l of L adds the world's vectors, with weight l / (L - 1), to vectors of the network's own. Supervision adds
    `supervision` times the vector of the object's group and category, so that labels draw categories together.

    Parameters
    ----------
    world : World
    n_layers : int, at least 2
    supervision : float, 0 or more
    noise : float, as in `plant_model`
    seed : int

    Returns
    -------
    dict of layer (`layer_0` ...) to (n, d) array
    """
    rng = np.random.default_rng(seed)
    n, d = world.latent.shape
    own = _normal(n, d, rng)
    rotation = np.linalg.qr(rng.standard_normal((d, d)))[0]
    layers = {}
    for index, depth in enumerate(np.linspace(0, 1, n_layers)):
        seen = own + depth * (world.latent + supervision * world.shared)
        layers[f"layer_{index}"] = seen @ rotation + noise * rng.standard_normal((n, d))
    return layers


def simulate_triplets(world, n_triplets=20_000, seed=0):
    """Human judgements of random triplets.

    Returns
    -------
    (n_triplets, 3) int array; columns 0 and 1 are the pair they kept, column 2 the odd one out
    """
    rng = np.random.default_rng(seed)
    triplets = _draw_triplets(len(world.objects), n_triplets, rng)
    odd = _choose(_odd_probabilities(world, triplets), rng)
    rows = np.arange(n_triplets)
    return np.column_stack([triplets[rows, (odd + shift) % 3] for shift in (1, 2, 0)])


def simulate_repeated_triplets(world, n_triplets=500, repeats=40, seed=0):
    """The same triplets judged repeatedly, for the noise ceiling.

    Returns
    -------
    responses : (n_triplets * repeats, 5) int array: i, j, k (1-based), position of the odd one (1-3), subject
    ceiling : float, the expected share of the most probable answer on these triplets
    """
    rng = np.random.default_rng(seed)
    triplets = np.repeat(_draw_triplets(len(world.objects), n_triplets, rng), repeats, axis=0)
    probabilities = _odd_probabilities(world, triplets)
    subject = np.tile(np.arange(1, repeats + 1), n_triplets)
    responses = np.column_stack([triplets + 1, _choose(probabilities, rng) + 1, subject])
    return responses, float(probabilities.max(axis=1).mean())


def _draw_triplets(n_objects, n_triplets, rng):
    """Three different objects a row."""
    draws = np.argpartition(rng.random((n_triplets, n_objects)), 3, axis=1)[:, :3]
    return rng.permuted(draws, axis=1)


def _odd_probabilities(world, triplets):
    """The probability that people call the first, second or third object the odd one."""
    unit = world.latent / np.linalg.norm(world.latent, axis=1, keepdims=True)
    similarity = unit @ unit.T
    i, j, k = triplets.T
    logits = np.column_stack([similarity[j, k], similarity[i, k], similarity[i, j]]) / TEMPERATURE
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    return odds / odds.sum(axis=1, keepdims=True)


def _choose(probabilities, rng):
    """One column index per row, drawn with that row's probabilities."""
    return (rng.random((len(probabilities), 1)) > probabilities.cumsum(axis=1)[:, :2]).sum(axis=1)
