"""Images a second and memory of the extraction, beside the bare forward pass and beside other loops."""

import time

import numpy as np
import psutil
import pytest
import torch
from PIL import Image
from repalign.inputs.images import ImageSet
from repalign.models.extraction import extract
from repalign.models.network import Network, PlainCall, seeded
from repalign.models.source_torchvision import assemble, build
from torch import nn
from torch.utils.data import DataLoader, Dataset
from torchvision.models import ViT_B_16_Weights
from tqdm import tqdm

pytestmark = pytest.mark.benchmark

BATCH = 16
LAYERS = [f"encoder.layers.encoder_layer_{i}" for i in range(12)] + ["encoder.ln"]
NO_CUDA = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
DEVICES = ["cpu", pytest.param("cuda", marks=(pytest.mark.gpu, NO_CUDA))]


def make_images(folder, n, size):
    """JPEG photographs, smooth as such are, so that decoding costs what it does."""
    generator = np.random.default_rng(0)
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for i in range(n):
        coarse = Image.fromarray(generator.integers(0, 255, (24, 24, 3), dtype=np.uint8))
        paths.append(folder / f"{i:05d}.jpg")
        coarse.resize((size, size), Image.Resampling.BICUBIC).save(paths[-1], quality=90)
    ids = tuple(path.stem for path in paths)
    return ImageSet(ids, tuple(paths), ids, ("",) * n)


class _Plain(Dataset):
    def __init__(self, image_set, preprocess):
        self.image_set, self.preprocess = image_set, preprocess

    def __len__(self):
        return len(self.image_set)

    def __getitem__(self, i):
        return self.preprocess(Image.open(self.image_set.paths[i]).convert("RGB"))


def hook_loop(network, image_set, device):
    """The loop that papers' code repositories have: hooks, whole activations to the host, concatenated in the end."""
    store, handles = {name: [] for name in LAYERS}, []
    for name in LAYERS:
        module = network.module.get_submodule(name)
        handles.append(
            module.register_forward_hook(lambda m, i, out, name=name: store[name].append(out.cpu()))
        )
    with torch.no_grad():
        for batch in tqdm(DataLoader(_Plain(image_set, network.preprocess), batch_size=BATCH), disable=True):
            network.module(batch.to(device))
    for handle in handles:
        handle.remove()
    return {name: torch.cat(parts)[:, 0].numpy() for name, parts in store.items()}


def bare(network, batch, n, device):
    """The forward pass alone, on tensors in memory."""
    batch = batch.to(device)
    with torch.inference_mode():
        for _ in range(0, n, BATCH):
            network.module(batch)
    if device == "cuda":
        torch.cuda.synchronize()


def timed(function):
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


@pytest.mark.parametrize("device", DEVICES)
def test_images_a_second_of_vit_b16(tmp_path, device):
    n = 26_107 if device == "cuda" else 48
    image_set = make_images(tmp_path / "images", n, 224 if device == "cuda" else 500)
    network = assemble(build("vit_b_16"), ViT_B_16_Weights.IMAGENET1K_V1.transforms())
    network.module.to(device)
    batch = torch.stack(
        [network.preprocess(Image.open(path).convert("RGB")) for path in image_set.paths[:BATCH]]
    )
    workers = max(1, psutil.cpu_count() - 1)
    ways = {
        "bare forward": lambda: bare(network, batch, n, device),
        "repalign": lambda: extract(
            network,
            image_set,
            LAYERS,
            tmp_path / "o.safetensors",
            device=device,
            batch_size=BATCH,
            workers=workers,
        ),
        "hook loop": lambda: hook_loop(network, image_set, device),
    }
    bare(network, batch, BATCH, device)
    rates = {name: [] for name in ways}
    for _ in range(1 if device == "cuda" else 3):
        # In turn, so that what else the machine does falls on all of them.
        for name, run in ways.items():
            rates[name].append(n / timed(run))
    print(f"\nViT-B/16, {n} JPEG images, 13 layers, {device}, {torch.get_num_threads()} threads")
    for name, found in rates.items():
        share = np.median(np.array(found) / np.array(rates["bare forward"]))
        print(f"  {name:14} {np.median(found):8.1f} images/s   {100 * share:5.1f}% of the bare forward pass")
    assert np.median(np.array(rates["repalign"]) / np.array(rates["bare forward"])) >= 0.9


def test_memory_does_not_grow_with_the_number_of_images(tmp_path):
    module = seeded(0, lambda: nn.Sequential(nn.AdaptiveAvgPool2d(8), nn.Flatten(), nn.Linear(192, 20_000)))
    network = Network(module, _SmallTensor(), PlainCall(module))
    process, peaks = psutil.Process(), {}
    image_set = make_images(tmp_path / "images", 4000, 64)
    for n in (500, 1000, 4000):
        seen = []
        extract(
            network,
            image_set.take(range(n)),
            ["2"],
            tmp_path / "o.safetensors",
            workers=1,
            progress=lambda _, seen=seen: seen.append(process.memory_info().rss),
        )
        peaks[n] = max(seen) / 2**20
    size = (tmp_path / "o.safetensors").stat().st_size / 2**20
    shown = ", ".join(f"{n} images {peak:.0f}" for n, peak in peaks.items())
    print(f"\nResident memory in MiB: {shown}; the last file has {size:.0f}")
    # What the later images added to the file is far more than what they added to the memory.
    assert peaks[4000] < peaks[1000] + 40
    assert size > 200


class _SmallTensor:
    def __call__(self, image):
        return torch.from_numpy(np.asarray(image, dtype=np.float32).transpose(2, 0, 1).copy())
