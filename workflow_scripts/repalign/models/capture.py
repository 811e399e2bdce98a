"""Read many layers in one forward pass."""

import torch

from repalign.errors import InputError
from repalign.models import layers as layer_names
from repalign.models.pooling import POOLINGS, first_tensor, pool


def reader(network, layers, pooling="", model="the model"):
    """A function from a batch of images to the pooled features of `layers`, from one forward pass.

    Every layer is pooled inside its hook, so that no feature map outlives the layer, and copied where pooling gave
    a view: a later in-place operation (`ReLU(inplace=True)`, `out += identity`) must not reach what was read. A
    submodule that runs several times in one pass (a ReLU shared by a block) gives its last output.

    Parameters
    ----------
    network : Network
    layers : sequence of str
    pooling : str
        See `repalign.models.pooling.pool`.
    model : str
        For messages.

    Returns
    -------
    callable: (images, 3, height, width) tensor -> dict of layer to (images, features) float32 tensor.

    Raises
    ------
    InputError
        An unknown layer or pooling, at once; on a batch, a layer that did not run or whose first axis is not
        the images.
    """
    if pooling and pooling not in POOLINGS:
        raise InputError(
            f"Model {model} asks for the pooling '{pooling}'; choose one of {', '.join(POOLINGS)}."
        )
    layer_names.check(layers, network.layers, model)
    outputs = frozenset(layers) & frozenset(network.outputs)
    seen = {}

    def read(name, output, n_images):
        tensor = first_tensor(output)
        if tensor.ndim < 2 or len(tensor) != n_images:
            raise InputError(
                f"Layer {name} of {model} returns {' x '.join(map(str, tensor.shape))} for {n_images} images, so its "
                "rows are not images; choose the block around it."
            )
        features = pool(
            tensor,
            pooling,
            layer=f"{name} of {model}",
            prefix_tokens=network.prefix_tokens,
            class_token=network.class_token,
        )
        if features.untyped_storage().data_ptr() == tensor.untyped_storage().data_ptr():
            features = features.clone()
        seen[name] = features.float()

    def run(batch):
        seen.clear()
        handles = [
            network.module.get_submodule(name).register_forward_hook(
                lambda module, args, output, name=name: read(name, output, len(batch))
            )
            for name in layers
            if name not in outputs
        ]
        try:
            with torch.inference_mode():
                for name, output in network.call(batch, outputs).items():
                    read(name, output, len(batch))
        finally:
            for handle in handles:
                handle.remove()
        if missing := [name for name in layers if name not in seen]:
            raise InputError(
                f"Layer {missing[0]} of {model} did not run in the forward pass; choose another layer."
            )
        return {name: seen[name] for name in layers}

    return run
