"""Run images through a network and write what its layers say: one pass, whatever the number of images."""

import logging
from dataclasses import dataclass

import numpy as np
import torch

from repalign.errors import InputError, listed
from repalign.models.capture import reader
from repalign.models.decoding import loader
from repalign.models.devices import PRECISIONS, autocast, deterministic, return_freed_memory, run_in_halves
from repalign.storage.row_writer import RowWriter

log = logging.getLogger(__name__)

ON_BAD_IMAGE = ("fail", "skip-and-report")
TRIM_EVERY = 16  # batches


@dataclass(frozen=True)
class Settings:
    """How images run through a network.

    Attributes
    ----------
    device : str
        `cpu`, `cuda`, `cuda:1`, `mps`.
    precision : str
        `fp32`, `bf16` or `fp16` (automatic mixed precision); features are written as float32 in any case.
    batch_size : int
        Images at a time; halved when memory runs out.
    workers : int
        Decoding processes; 0 decodes in this one.
    on_bad_image : str
        `fail`, or `skip-and-report` to leave out images that are missing or cannot be decoded.
    """

    device: str = "cpu"
    precision: str = "fp32"
    batch_size: int = 32
    workers: int = 1
    on_bad_image: str = "fail"

    @classmethod
    def from_config(cls, config, device):
        """The settings of a study (its section `embeddings`) on a device."""
        names = ("precision", "batch_size", "workers", "on_bad_image")
        return cls(device, **{name: config[name] for name in names})

    def __post_init__(self):
        if self.precision not in PRECISIONS:
            raise InputError(f"Unknown precision '{self.precision}'; choose one of {', '.join(PRECISIONS)}.")
        if self.on_bad_image not in ON_BAD_IMAGE:
            raise InputError(
                f"Unknown on_bad_image '{self.on_bad_image}'; choose one of {', '.join(ON_BAD_IMAGE)}."
            )


@dataclass(frozen=True)
class Extraction:
    """What was written: images read, ids left out with the reason, the batch size that fitted, features per layer."""

    n_images: int
    skipped: dict[str, str]
    batch_size: int
    widths: dict[str, int]


def extract(
    network,
    image_set,
    layers,
    path,
    *,
    pooling="",
    settings=Settings(),
    average_objects=False,
    metadata=None,
    model="the model",
    progress=None,
):
    """Write the features of `layers` for every image, from one pass, as one safetensors file.

    Decoding goes on in worker processes while the device computes, and features go to disk batch by batch, so that
    memory does not grow with the number of images. Layers are pooled on the device.

    Parameters
    ----------
    network : Network
        Moved to the device of `settings`.
    image_set : ImageSet
    layers : sequence of str
    path : path
        The file to write; one float32 tensor (rows, features) per layer. Its metadata holds `objects` (what each row
        shows), the `images` that were read with `image_objects` and `image_category`, `layers`, `pooling`, `skipped`
        and the network's description.
    pooling : str
        See `repalign.models.pooling.pool`.
    settings : Settings
    average_objects : bool
        Write the mean over the images of each object, objects in the order of the image set.
    metadata : dict or None
        More to write into the file.
    model : str
        For messages.
    progress : callable or None
        `progress(images just done)`.

    Returns
    -------
    Extraction

    Raises
    ------
    InputError
        An unknown layer or device; a bad image under `fail`; an object without a good image; features that are not
        finite.
    """
    passes = _ForwardPasses(network, reader(network, layers, pooling, model), settings)
    images = _ImagesRead(image_set, settings.on_bad_image)
    with deterministic(), RowWriter(path) as writer:
        sink = _Means(writer, image_set.objects) if average_objects else _Rows(writer)
        for rows, features in passes.features(images.good(passes.batches(image_set), progress)):
            _require_finite(features, rows, image_set, settings.precision)
            sink.append(features, [image_set.objects[row] for row in rows])
        images.report()
        sink.close()
        writer.finish(
            {
                **(metadata or {}),
                **_row_names(image_set, images.kept, average_objects),
                "model": model,
                "layers": list(layers),
                "pooling": pooling,
                "precision": settings.precision,
                "device": passes.device.type,
                "skipped": images.skipped,
                "network": network.description,
            }
        )
    return Extraction(len(images.kept), images.skipped, passes.batch_size, dict(writer.widths))


class _ImagesRead:
    """Which images were read, left out, or read with a part dropped."""

    def __init__(self, image_set, on_bad_image):
        self.image_set, self.on_bad_image = image_set, on_bad_image
        self.kept, self.skipped, self.done = [], {}, {}

    def good(self, batches, progress):
        """Yield the batches that hold an image, and keep account of each of their images."""
        for number, batch in enumerate(batches, start=1):
            for row, reason in batch.bad:
                self._leave_out(row, reason)
            for row, done in batch.done:
                for what in done:
                    self.done.setdefault(what, []).append(self.image_set.ids[row])
            self.kept += batch.rows
            if batch.images is not None:
                yield batch
            if number % TRIM_EVERY == 0:
                return_freed_memory()
            if progress:
                progress(len(batch))

    def _leave_out(self, row, reason):
        if self.on_bad_image == "fail":
            raise InputError(
                f"The image {self.image_set.paths[row]} cannot be used ({reason}); restore it, or set "
                "on_bad_image: skip-and-report."
            )
        self.skipped[self.image_set.ids[row]] = reason

    def report(self):
        """Log what was done to how many images; refuse a set without a good one."""
        if not self.kept:
            raise InputError(
                f"None of the {len(self.image_set)} images can be used; the first is {self.image_set.paths[0]}."
            )
        for what, ids in sorted(self.done.items()):
            log.warning("%d of %d images: %s (%s)", len(ids), len(self.image_set), what, listed(ids))


class _ForwardPasses:
    """A network on its device; `batch_size` is what fits into its memory."""

    def __init__(self, network, read, settings):
        self.network, self.read, self.settings = network, read, settings
        self.device, self.batch_size = torch.device(settings.device), settings.batch_size
        network.module.to(self.device)

    def batches(self, image_set):
        """Yield the decoded images of a set."""
        try:
            yield from loader(
                self.network,
                image_set,
                batch_size=self.settings.batch_size,
                workers=self.settings.workers,
                pin_memory=self.device.type == "cuda",
            )
        except RuntimeError as error:
            if "DataLoader worker" not in str(error):
                raise
            reason = str(error).splitlines()[0]
            raise InputError(
                f"A decoding process died ({reason}); give the job more memory, or set workers: 0."
            ) from error

    def features(self, batches):
        """Yield (rows, dict of layer to array) of each batch, while the device works on the next one."""
        previous = None
        for batch in batches:
            current = self._start(batch)
            if previous:
                yield _finished(*previous)
            previous = current
        if previous:
            yield _finished(*previous)

    def _start(self, batch):
        """Begin a forward pass and the copy of its features to the host; the event tells when they have arrived."""
        on_cuda = self.device.type == "cuda"
        with autocast(self.device, self.settings.precision):
            images = batch.images.to(self.device, non_blocking=True)
            features, self.batch_size = run_in_halves(self.read, images, self.batch_size)
        on_host = {name: tensor.to("cpu", non_blocking=on_cuda) for name, tensor in features.items()}
        event = torch.cuda.Event() if on_cuda else None
        if event:
            event.record()
        return batch.rows, on_host, event


def _finished(rows, features, event):
    if event:
        event.synchronize()
    return rows, {name: tensor.numpy() for name, tensor in features.items()}


def _require_finite(arrays, rows, image_set, precision):
    for layer, array in arrays.items():
        if not np.isfinite(array).all():
            row = rows[int(np.flatnonzero(~np.isfinite(array).all(axis=1))[0])]
            raise InputError(
                f"Layer {layer} is not finite for the image {image_set.paths[row]}"
                + (f" at {precision}; use bf16 or fp32." if precision == "fp16" else "; check the weights.")
            )


def _row_names(image_set, kept, average_objects):
    objects = [image_set.objects[row] for row in kept]
    all_objects, left = dict.fromkeys(image_set.objects), dict.fromkeys(objects)
    one_each = len(all_objects) == len(image_set)
    if (average_objects or one_each) and (missing := [name for name in all_objects if name not in left]):
        raise InputError(
            f"No image of {listed(missing)} can be used; restore one, or drop the object from the study."
        )
    return {
        "objects": list(left) if average_objects else objects,
        "images": [image_set.ids[row] for row in kept],
        "image_objects": objects,
        "image_category": [image_set.category[row] for row in kept],
    }


class _Rows:
    """One row per image."""

    def __init__(self, writer):
        self.writer = writer

    def append(self, arrays, objects):
        self.writer.append(arrays)

    def close(self):
        pass


class _Means:
    """Average the rows of each object; the images of an object follow one another."""

    def __init__(self, writer, objects):
        self.writer, self.current, self.sums, self.count = writer, None, None, 0
        runs = [name for i, name in enumerate(objects) if i == 0 or objects[i - 1] != name]
        if len(set(runs)) < len(runs):
            raise InputError(
                "The images of an object do not follow one another; use an image set sorted by object."
            )

    def append(self, arrays, objects):
        for i, name in enumerate(objects):
            if name != self.current:
                self.close()
                self.current, self.count = name, 0
                self.sums = {layer: np.zeros(array.shape[1]) for layer, array in arrays.items()}
            for layer, array in arrays.items():
                self.sums[layer] += array[i]
            self.count += 1

    def close(self):
        if self.count:
            self.writer.append({layer: (total / self.count)[None] for layer, total in self.sums.items()})
        self.count = 0
