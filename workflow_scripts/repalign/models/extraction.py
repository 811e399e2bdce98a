"""Run images through a network and write what its layers say: one pass, whatever the number of images."""

from dataclasses import dataclass

import numpy as np
import torch

from repalign.errors import InputError, listed
from repalign.models.capture import reader
from repalign.models.decoding import loader
from repalign.models.devices import PRECISIONS, autocast, deterministic, return_freed_memory, run_in_halves
from repalign.storage.row_writer import RowWriter

ON_BAD_IMAGE = ("fail", "skip-and-report")
TRIM_EVERY = 16  # batches


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
    device="cpu",
    precision="fp32",
    batch_size=32,
    workers=1,
    on_bad_image="fail",
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
        Moved to `device`.
    image_set : ImageSet
    layers : sequence of str
    path : path
        The file to write; one float32 tensor (rows, features) per layer. Its metadata holds `objects` (what each row
        shows), the `images` that were read with `image_objects` and `image_category`, `layers`, `pooling`, `skipped`
        and the network's description.
    pooling : str
        See `repalign.models.pooling.pool`.
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
        An unknown layer, precision or device; a bad image under `fail`; an object without a good image; features that
        are not finite.
    """
    if precision not in PRECISIONS:
        raise InputError(f"Unknown precision '{precision}'; choose one of {', '.join(PRECISIONS)}.")
    if on_bad_image not in ON_BAD_IMAGE:
        raise InputError(f"Unknown on_bad_image '{on_bad_image}'; choose one of {', '.join(ON_BAD_IMAGE)}.")
    device = torch.device(device)
    read = reader(network, layers, pooling, model)
    network.module.to(device)
    batches = loader(
        network, image_set, batch_size=batch_size, workers=workers, pin_memory=device.type == "cuda"
    )
    size, skipped, kept, pending = batch_size, {}, [], None
    with deterministic(), RowWriter(path) as writer:
        sink = _Means(writer, image_set.objects) if average_objects else _Rows(writer)

        def flush():
            rows, arrays = pending[0], _arrived(*pending[1:])
            _require_finite(arrays, rows, image_set, precision)
            sink.append(arrays, [image_set.objects[row] for row in rows])

        for number, (rows, images, bad) in enumerate(_batches(batches), start=1):
            for row, reason in bad:
                if on_bad_image == "fail":
                    raise InputError(
                        f"The image {image_set.paths[row]} cannot be used ({reason}); restore it, or set "
                        "on_bad_image: skip-and-report."
                    )
                skipped[image_set.ids[row]] = reason
            if images is not None:
                with autocast(device, precision):
                    features, size = run_in_halves(read, images.to(device, non_blocking=True), size)
                sent = _send_home(features, device)
                # The batch before is written while the device works on this one.
                if pending:
                    flush()
                pending = (rows, *sent)
                kept += rows
            if number % TRIM_EVERY == 0:
                return_freed_memory()
            if progress:
                progress(len(rows) + len(bad))
        if pending is None:
            raise InputError(
                f"None of the {len(image_set)} images can be used; the first is {image_set.paths[0]}."
            )
        flush()
        sink.close()
        writer.finish(
            {
                **(metadata or {}),
                **_row_names(image_set, kept, average_objects),
                "model": model,
                "layers": list(layers),
                "pooling": pooling,
                "precision": precision,
                "device": device.type,
                "skipped": skipped,
                "network": network.description,
            }
        )
        return Extraction(len(kept), skipped, size, dict(writer.widths))


def _batches(batches):
    try:
        yield from batches
    except RuntimeError as error:
        if "DataLoader worker" not in str(error):
            raise
        raise InputError(
            f"A decoding process died ({str(error).splitlines()[0]}); give the job more memory, or set workers: 0."
        ) from error


def _send_home(features, device):
    """Begin to copy features to the host; the event tells when they have arrived."""
    on_cuda = device.type == "cuda"
    host = {name: tensor.to("cpu", non_blocking=on_cuda) for name, tensor in features.items()}
    event = torch.cuda.Event() if on_cuda else None
    if event:
        event.record()
    return host, event


def _arrived(host, event):
    if event:
        event.synchronize()
    return {name: tensor.numpy() for name, tensor in host.items()}


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
