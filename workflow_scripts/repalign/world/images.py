"""Images of the simulated world and captions for them.

Each object has visual attributes in [0, 1] (colour, form, texture), one for each leading dimension of its latent vector
(`repalign.world.simulation`): the normal distribution function of the standardised dimension. Dimensions that vary
little give attributes that vary little, so what matters most in human judgements is also what is most visible.
Attributes without a dimension are the same in all objects. Objects of a category look alike, objects of a group less
so. Images of one object differ in position, rotation, size, light and background.
"""

import numpy as np
from PIL import Image
from scipy.special import ndtr

from repalign.world.simulation import TAXONOMY

# The most visible attributes first: the leading dimensions matter most in human judgements.
ATTRIBUTES = (
    "hue",
    "lightness",
    "size",
    "elongation",
    "saturation",
    "contrast",
    "second_hue",
    "stripes",
    "tilt",
    "hole",
    "spikiness",
    "lobes",
)
# Words for an attribute from 0 to 1 in captions; each writer puts the boundaries between words a little differently.
WORDS = {
    "hue": ("red", "orange", "yellow", "green", "turquoise", "blue"),
    "lightness": ("black", "dark", "dim", "pale", "bright", "glowing"),
    "size": ("tiny", "small", "middling", "large", "huge"),
    "elongation": ("squat", "broad", "even", "long", "slender"),
    "saturation": ("greyish", "muted", "vivid", "garish"),
    "contrast": ("plain", "shaded", "patterned", "bold"),
    "stripes": ("banded", "striped", "fine"),
    "spikiness": ("smooth", "wavy", "spiky"),
}
# Standard deviation of a writer's judgement of an attribute.
CAPTION_NOISE = 0.08
NAMED_SHARE = 0.5  # share of captions that name the category, and the group


def attributes(world):
    """Attributes of every object.

    Parameters
    ----------
    world : repalign.world.simulation.World

    Returns
    -------
    (objects, 12) array in [0, 1], columns as in `ATTRIBUTES`
    """
    latent = world.latent[:, : len(ATTRIBUTES)]
    spread = latent.std(axis=0)
    shares = ndtr((latent - latent.mean(axis=0)) / spread)
    values = np.full((len(latent), len(ATTRIBUTES)), 0.5)
    values[:, : latent.shape[1]] += (shares - 0.5) * np.minimum(1, spread / spread[0])
    return values


def render(values, rng, size=64):
    """Draw one image of an object.

    Parameters
    ----------
    values : (12,) array
        Attributes of the object, in the order of `ATTRIBUTES`.
    rng : numpy.random.Generator
        For what differs between images of one object.
    size : int
        Width and height in pixels.

    Returns
    -------
    (size, size, 3) uint8 array
    """
    look = dict(zip(ATTRIBUTES, values, strict=True))
    axis = (np.arange(size) + 0.5) / size * 2 - 1
    y, x = np.meshgrid(axis, axis, indexing="ij")
    left, top = rng.uniform(-0.1, 0.1, 2)
    turn = rng.uniform(-0.1, 0.1) + (look["tilt"] - 0.5)
    u = (x - left) * np.cos(turn) + (y - top) * np.sin(turn)
    v = (y - top) * np.cos(turn) - (x - left) * np.sin(turn)
    stretch = 8 ** (look["elongation"] - 0.5)
    u, v = u / stretch, v * stretch
    radius, angle = np.hypot(u, v), np.arctan2(v, u)

    # A fractional number of lobes mixes the two nearest whole numbers, so that forms change smoothly.
    lobes = 2 + 6 * look["lobes"]
    whole, part = int(lobes), lobes - int(lobes)
    wave = (1 - part) * np.cos(whole * angle) + part * np.cos((whole + 1) * angle)
    outline = 1 + 0.45 * look["spikiness"] * wave
    scale = (0.15 + 0.8 * look["size"]) * rng.uniform(0.9, 1.1)
    edge = 24.0
    inside = _soft(edge * (scale * outline - radius)) * _soft(edge * (radius - 0.6 * scale * look["hole"]))

    phase = rng.uniform(0, 2 * np.pi)
    stripes = 0.5 + 0.5 * np.sin((4 + 20 * look["stripes"]) * u + phase)
    blend = (stripes * look["contrast"])[..., None]
    light = 0.1 + 0.9 * look["lightness"]
    base = _colour(look["hue"], look["saturation"], light)
    other = _colour(look["hue"] + 0.2 + 0.5 * look["second_hue"], look["saturation"], light * 0.7)
    surface = (1 - blend) * base + blend * other

    # Backgrounds are tinted greys, so that the object's colour stands out.
    corners = rng.uniform(0.4, 0.6, (2, 1)) + rng.uniform(-0.05, 0.05, (2, 3))
    slope = (0.5 + 0.5 * (x * np.cos(phase) + y * np.sin(phase)) / np.sqrt(2))[..., None]
    background = corners[0] * slope + corners[1] * (1 - slope)
    picture = inside[..., None] * surface + (1 - inside[..., None]) * background
    picture = picture * rng.uniform(0.95, 1.05) + rng.normal(0, 0.02, picture.shape)
    return (np.clip(picture, 0, 1) * 255).round().astype(np.uint8)


def _soft(distance):
    return 1 / (1 + np.exp(-np.clip(distance, -30, 30)))


def _colour(hue, saturation, light):
    """A colour; hues cover two thirds of the colour circle, so that hue 0 and hue 1 differ."""
    angle = 2 * np.pi * (2 / 3) * hue
    wheel = 0.5 + 0.5 * np.cos(angle - 2 * np.pi * np.arange(3) / 3)
    strength = 0.3 + 0.7 * saturation
    return light * (1 - strength + strength * wheel)


def write_images(world, folder, per_object=10, size=64, seed=0):
    """Write `<folder>/<object>/<object>_<number>.png`; people judge the first one, `_01b`.

    Each object has its own random generator, so adding objects does not change the images of the others.

    Returns
    -------
    list of Path
    """
    values, paths = attributes(world), []
    for row, name in enumerate(world.objects):
        (folder / name).mkdir(parents=True, exist_ok=True)
        rng = np.random.default_rng([seed, row])
        for number in range(1, per_object + 1):
            path = folder / name / f"{name}_{number:02d}{'b' if number == 1 else 's'}.png"
            Image.fromarray(render(values[row], rng, size)).save(path)
            paths.append(path)
    return paths


def captions(world, objects, seed=0):
    """Captions of images: words for attributes of the object, sometimes also its category or its group.

    Each caption has its own writer, who puts the boundary between two words a little differently. An attribute is
    mentioned more often the more it varies between objects.

    Parameters
    ----------
    world : repalign.world.simulation.World
    objects : sequence of str
        The object that each image shows.
    seed : int

    Returns
    -------
    list of list of str, one list of words per image
    """
    groups, rng = list(TAXONOMY), np.random.default_rng(seed)
    row = {name: i for i, name in enumerate(world.objects)}
    owner = np.array([row[name] for name in objects])
    values = attributes(world)
    spread = values.std(axis=0) / values.std(axis=0).max()
    seen = values[owner] + CAPTION_NOISE * rng.standard_normal((len(owner), len(ATTRIBUTES)))
    written = [[] for _ in objects]
    for attribute, words in WORDS.items():
        column = ATTRIBUTES.index(attribute)
        chosen = np.clip((seen[:, column] * len(words)).astype(int), 0, len(words) - 1)
        for caption, word, mentioned in zip(
            written, chosen, rng.random(len(owner)) < spread[column], strict=True
        ):
            if mentioned:
                caption.append(words[word])
    for caption, name, i in zip(written, objects, owner, strict=True):
        nouns = (name.rsplit("_", 1)[0], groups[world.groups[i]])
        caption += [noun for noun in nouns if rng.random() < NAMED_SHARE]
    return written
