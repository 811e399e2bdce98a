"""From what a layer returns to one vector per image."""

from repalign.errors import InputError

POOLINGS = ("class_token", "patch_mean", "average", "flatten")


def first_tensor(output):
    """The tensor of a layer's output: itself, or the first entry of a tuple or model output."""
    while not hasattr(output, "ndim"):
        output = output[0]
    return output


def channel_axis(shape):
    """Axis of the channels of a feature map (images, a, b, c) of a square image: 1 or 3.

    Convolutional networks put channels first, Swin and its kin last. The two spatial axes are equal, so the axis
    that differs is the channels; where all three agree they are taken to come first.
    """
    _, a, b, c = shape
    return 3 if a == b != c else 1


def pool(tensor, pooling, *, layer, prefix_tokens=0, class_token=False):
    """Reduce a layer's output to (images, features).

    Parameters
    ----------
    tensor : (images, features), (images, tokens, features) or (images, channels, height, width) tensor
    pooling : str
        `class_token`; `patch_mean`, the mean of the tokens that are patches; `average`, over the positions of a
        feature map; `flatten`; or empty: class token where there is one, else the mean. A vector per image stays
        as it is under each of them.
    layer : str
        For messages.
    prefix_tokens, class_token
        As in `Network`.

    Raises
    ------
    InputError
        The pooling does not fit what the layer returns.
    """
    if tensor.ndim == 2:
        return tensor
    if pooling == "flatten":
        return tensor.flatten(1)
    if tensor.ndim == 3 and pooling in ("", "class_token", "patch_mean"):
        pooling = pooling or ("class_token" if class_token else "patch_mean")
        if pooling == "patch_mean":
            return tensor[:, prefix_tokens:].mean(dim=1)
        if class_token:
            return tensor[:, 0]
    if tensor.ndim == 4 and pooling in ("", "average", "patch_mean"):
        return tensor.mean(dim=(2, 3) if channel_axis(tensor.shape) == 1 else (1, 2))
    shape = " x ".join(map(str, tensor.shape[1:]))
    fitting = {3: "class_token, patch_mean or flatten", 4: "average or flatten"}.get(tensor.ndim, "flatten")
    if tensor.ndim == 3 and not class_token:
        fitting = "patch_mean or flatten"
    raise InputError(
        f"Layer {layer} returns {shape} per image, which '{pooling}' cannot pool; use {fitting}."
    )
