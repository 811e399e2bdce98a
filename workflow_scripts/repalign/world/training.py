"""Train small networks on images of the simulated world, one for each learning paradigm, saved as their libraries do.

supervised        a residual network (timm) learns the objects' categories
self_supervised   the same network learns to tell images apart, regardless of crop and light (SimCLR [1])
masked            a transformer (transformers) learns to fill in hidden patches (MAE [2])
self_sup_sup      the self-supervised network learns the categories afterwards
clip              a transformer (open_clip) learns which caption belongs to which image [3]

References
----------
[1] Chen et al. (2020), ICML. [2] He et al. (2022), CVPR. [3] Radford et al. (2021), ICML.
"""

import json
from functools import partial
from pathlib import Path

import numpy as np
import open_clip
import timm
import torch
from PIL import Image
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional
from transformers import ViTImageProcessor, ViTMAEConfig, ViTMAEForPreTraining

from repalign.errors import InputError
from repalign.models.network import seeded
from repalign.world.images import captions

BACKBONE = "test_resnet"
# Images are reduced from 64 px: enough for every attribute, at a quarter of the cost.
SIZE = 32
MEAN, SD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
MASKED_SHARE = 0.6
CLIP = {
    "embed_dim": 64,
    "vision_cfg": {"image_size": SIZE, "layers": 3, "width": 64, "head_width": 32, "patch_size": 8},
    "text_cfg": {"context_length": 12, "vocab_size": 0, "width": 64, "heads": 2, "layers": 2},
}


def read_images(paths):
    """Images as a (n, 3, 32, 32) float tensor, normalised."""
    size = (SIZE, SIZE)
    pixels = np.stack(
        [np.asarray(Image.open(p).convert("RGB").resize(size, Image.Resampling.BILINEAR)) for p in paths]
    )
    tensor = torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255
    return (tensor - torch.tensor(MEAN).view(3, 1, 1)) / torch.tensor(SD).view(3, 1, 1)


def augment(images, generator, least=0.4, colour=0.4):
    """A random crop, mirror image and change of light for each image.

    Parameters
    ----------
    images : (n, 3, height, width) tensor
    generator : torch.Generator
    least : float
        Smallest share of the side that a crop keeps.
    colour : float
        Strength of the change of light, contrast and single channels.
    """
    n = len(images)

    def uniform(low, high, *shape):
        return low + (high - low) * torch.rand(n, *shape, generator=generator)

    scale = uniform(least, 1)
    mirrored = torch.where(uniform(0, 1) < 0.5, -1.0, 1.0)
    theta = torch.zeros(n, 2, 3)
    theta[:, 0, 0], theta[:, 1, 1] = scale * mirrored, scale
    theta[:, :, 2] = uniform(-1, 1, 2) * (1 - scale[:, None])
    grid = functional.affine_grid(theta, list(images.shape), align_corners=False)
    cropped = functional.grid_sample(images, grid, align_corners=False, padding_mode="reflection")
    contrast, light = uniform(1 - colour, 1 + colour, 1, 1, 1), uniform(-colour, colour, 3, 1, 1)
    return cropped * contrast + light


def _train(parameters, step, n, *, epochs, batch_size, rate, generator):
    """Minimise `step(rows)` with AdamW, a short warm-up and a cosine decay; the mean loss of every epoch."""
    if n < batch_size:
        raise InputError(
            f"{n} images are fewer than one batch of {batch_size}; render more images of each object."
        )
    parameters = list(parameters)
    optimiser = torch.optim.AdamW(parameters, lr=rate, weight_decay=0.02)
    total = epochs * (n // batch_size)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, max_lr=rate, total_steps=total + 1, pct_start=0.15
    )
    history = []
    for _ in range(epochs):
        order, losses = torch.randperm(n, generator=generator), []
        for start in range(0, n - batch_size + 1, batch_size):
            loss = step(order[start : start + batch_size])
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(parameters, 1.0)
            optimiser.step()
            schedule.step()
            losses.append(float(loss.detach()))
        history.append(float(np.mean(losses)))
    return history


def _backbone(seed, n_classes=0):
    return seeded(seed, lambda: timm.create_model(BACKBONE, num_classes=n_classes))


def _save_timm(module, folder, classes):
    module.pretrained_cfg |= {"input_size": (3, SIZE, SIZE), "crop_pct": 1.0, "mean": MEAN, "std": SD}
    names = {"label_names": list(classes)}
    timm.models.save_for_hf(module.eval(), folder, model_config=names, safe_serialization=True)


def train_supervised(
    images, labels, folder, *, classes=(), seed=0, epochs=8, batch_size=64, rate=4e-3, start=None
):
    """Learn the objects' categories; saved in the format of timm.

    Parameters
    ----------
    images : (n, 3, 32, 32) tensor
    labels : (n,) int tensor
    folder : path
    classes : sequence of str
        Names of the labels; saved with the network.
    seed : int
    start : path or None
        State dictionary of `train_self_supervised` to begin from.

    Returns
    -------
    list of float, the loss of every epoch
    """
    generator = torch.Generator().manual_seed(seed)
    module = _backbone(seed, int(labels.max()) + 1)
    if start is not None:
        state = torch.load(start, weights_only=True)["state_dict"]
        module.load_state_dict({k.removeprefix("module.encoder."): v for k, v in state.items()}, strict=False)
    module.train()

    def step(rows):
        scores = module(augment(images[rows], generator, least=0.7, colour=0.2))
        return functional.cross_entropy(scores, labels[rows])

    history = _train(
        module.parameters(),
        step,
        len(images),
        epochs=epochs,
        batch_size=batch_size,
        rate=rate,
        generator=generator,
    )
    _save_timm(module, folder, classes)
    return history


def train_self_supervised(images, path, *, seed=0, epochs=12, batch_size=128, rate=3e-3, temperature=0.2):
    """Learn to recognise two crops of one image among all others; saved as a training checkpoint."""
    generator = torch.Generator().manual_seed(seed)
    module = _backbone(seed).train()
    projector = seeded(
        seed + 1, lambda: nn.Sequential(nn.Linear(module.num_features, 128), nn.ReLU(), nn.Linear(128, 64))
    )

    def step(rows):
        batch = images[rows]
        views = torch.cat([augment(batch, generator), augment(batch, generator)])
        z = functional.normalize(projector(module(views)), dim=1)
        similarity = (z @ z.T / temperature).fill_diagonal_(-1e9)
        n = len(rows)
        return functional.cross_entropy(similarity, torch.cat([torch.arange(n) + n, torch.arange(n)]))

    parameters = [*module.parameters(), *projector.parameters()]
    history = _train(
        parameters, step, len(images), epochs=epochs, batch_size=batch_size, rate=rate, generator=generator
    )
    state = {f"module.encoder.{name}": tensor for name, tensor in module.state_dict().items()}
    state |= {f"module.projector.{name}": tensor for name, tensor in projector.state_dict().items()}
    torch.save({"epoch": epochs, "state_dict": state}, path)
    return history


def train_masked(images, folder, *, seed=0, epochs=25, batch_size=64, rate=2e-3):
    """Learn to fill in hidden patches; saved in the format of transformers."""
    generator = torch.Generator().manual_seed(seed)
    config = ViTMAEConfig(
        hidden_size=64,
        num_hidden_layers=4,
        num_attention_heads=2,
        intermediate_size=128,
        image_size=SIZE,
        patch_size=8,
        decoder_hidden_size=64,
        decoder_num_hidden_layers=1,
        decoder_num_attention_heads=2,
        decoder_intermediate_size=128,
        mask_ratio=MASKED_SHARE,
        norm_pix_loss=True,
    )
    module = seeded(seed, lambda: ViTMAEForPreTraining(config)).train()
    patches = (SIZE // config.patch_size) ** 2

    def step(rows):
        batch = augment(images[rows], generator, least=0.7, colour=0.0)
        noise = torch.rand(len(rows), patches, generator=generator)
        return module(pixel_values=batch, noise=noise).loss

    history = _train(
        module.parameters(),
        step,
        len(images),
        epochs=epochs,
        batch_size=batch_size,
        rate=rate,
        generator=generator,
    )
    module.eval().save_pretrained(folder)
    size = {"height": SIZE, "width": SIZE}
    ViTImageProcessor(size=size, image_mean=list(MEAN), image_std=list(SD)).save_pretrained(folder)
    return history


def train_clip(images, sentences, folder, *, seed=0, epochs=12, batch_size=128, rate=2e-3):
    """Learn which caption belongs to which image; saved in the format of open_clip.

    Parameters
    ----------
    images : (n, 3, 32, 32) tensor
    sentences : list of n lists of str
        The words of each image's caption; each word is left out in a quarter of the training steps, since people
        mention different things.
    folder : path
    """
    generator = torch.Generator().manual_seed(seed)
    words = sorted({word for sentence in sentences for word in sentence})
    # 0 is padding; the largest token ends a sentence, and the text tower reads its output there.
    token = {word: i + 1 for i, word in enumerate(words)}
    length, end = CLIP["text_cfg"]["context_length"], len(words) + 1
    config = {**CLIP, "text_cfg": {**CLIP["text_cfg"], "vocab_size": end + 1}}
    numbers = [torch.tensor([token[word] for word in sentence]) for sentence in sentences]
    model = seeded(seed, lambda: open_clip.CLIP(**config)).train()

    def tokens(rows):
        text = torch.zeros(len(rows), length, dtype=torch.long)
        for i, row in enumerate(rows.tolist()):
            spoken = numbers[row][torch.rand(len(numbers[row]), generator=generator) > 0.25]
            text[i, : len(spoken)], text[i, len(spoken)] = spoken, end
        return text

    def step(rows):
        seen = model.encode_image(augment(images[rows], generator, least=0.7, colour=0.1), normalize=True)
        read = model.encode_text(tokens(rows), normalize=True)
        scores = model.logit_scale.exp().clamp(max=100) * seen @ read.T
        target = torch.arange(len(rows))
        return (functional.cross_entropy(scores, target) + functional.cross_entropy(scores.T, target)) / 2

    history = _train(
        model.parameters(),
        step,
        len(images),
        epochs=epochs,
        batch_size=batch_size,
        rate=rate,
        generator=generator,
    )
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    preprocess = {"size": [SIZE, SIZE], "mean": MEAN, "std": SD, "interpolation": "bilinear"}
    (folder / "open_clip_config.json").write_text(
        json.dumps({"model_cfg": config, "preprocess_cfg": preprocess})
    )
    save_file(
        {k: v.contiguous() for k, v in model.state_dict().items()}, folder / "open_clip_model.safetensors"
    )
    return history


def train(name, world, images, folder, *, start=None, seed=0, epochs=None):
    """Train one network of the demo by name: supervised, self_supervised, masked, self_sup_sup or clip.

    Parameters
    ----------
    world : repalign.world.simulation.World
    images : repalign.inputs.images.ImageSet
        Its images.
    folder : path
        Where the network is saved; `checkpoint.pth` inside for the self-supervised one.
    start : path or None
        Folder of the self-supervised network, from which `self_sup_sup` begins.
    epochs : int or None
        None: the number that each network needs.

    Returns
    -------
    list of float, the loss of every epoch
    """
    folder = Path(folder)
    folder.mkdir(parents=True)
    pixels = read_images(images.paths)
    categories = [name.rsplit("_", 1)[0] for name in images.objects]
    classes = sorted(set(categories))
    labels = torch.tensor([classes.index(name) for name in categories])
    options = {"seed": seed} if epochs is None else {"seed": seed, "epochs": epochs}
    supervised = partial(train_supervised, pixels, labels, folder, classes=classes)
    if name == "supervised":
        return supervised(**options)
    if name == "self_sup_sup":
        first = Path(start) / "checkpoint.pth"
        return supervised(start=first, **{"epochs": 4, **options})
    if name == "self_supervised":
        return train_self_supervised(pixels, folder / "checkpoint.pth", **options)
    if name == "masked":
        return train_masked(pixels, folder, **options)
    if name == "clip":
        return train_clip(pixels, captions(world, images.objects, seed), folder, **options)
    raise InputError(
        f"The demo has no network '{name}'; choose supervised, self_supervised, masked, self_sup_sup or clip."
    )
