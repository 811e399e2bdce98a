"""How a network wants its images, as the column `preprocessing` of the model sheet declares it."""

import re
from dataclasses import dataclass, replace

from repalign.errors import InputError

IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
OPENAI = ((0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711))
HALF = ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
FILES = (".pth", ".pt", ".bin", ".safetensors", ".torch", ".tar", ".ckpt")
# Sources that read images but, of a file of weights, do not know what it was trained with.
SILENT = {"torchvision", "open_clip"}


@dataclass(frozen=True)
class Preprocessing:
    """From an RGB image to the pixels that a network reads.

    Attributes
    ----------
    size : int
        Pixels a side of what the network reads.
    mean, std : three numbers each, in the order of `channels` and on the scale of `range`
        Pixels become (pixel - mean) / std.
    channels : 'rgb' or 'bgr'
    range : 1 or 255
        What white is before the mean is subtracted.
    resize : int or None
        The shorter side is resized to this, and the centre cut out; None to stretch the whole image to a square.
    interpolation : 'bilinear' or 'bicubic'
    """

    size: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    channels: str = "rgb"
    range: int = 1
    resize: int | None = None
    interpolation: str = "bilinear"


PRESETS = {
    # The evaluation transform of ImageNet, as torchvision has it.
    "imagenet": Preprocessing(224, *IMAGENET, resize=256),
    # Values from -1 to 1: Inception, and the vision transformers of its authors.
    "inception": Preprocessing(224, *HALF, resize=256),
    "clip": Preprocessing(224, *OPENAI, resize=224, interpolation="bicubic"),
    # Networks that were trained in Caffe, SqueezeNet among them (Iandola et al. 2016, arXiv:1602.07360).
    "caffe_bgr": Preprocessing(227, (104.0, 117.0, 123.0), (1.0, 1.0, 1.0), channels="bgr", range=255),
}
REQUIRED = ("size", "mean", "std", "channels", "range")
OPTIONAL = ("resize", "interpolation")
EXAMPLE = "size=227; mean=104,117,123; std=1; channels=bgr; range=255"
HOW = f"write one of {', '.join(PRESETS)} (with its pixels a side as in imagenet@64), or all of it, such as '{EXAMPLE}'"


def parse(text, source):
    """The preprocessing that a cell of the sheet declares.

    Parameters
    ----------
    text : str
        A preset, with its pixels a side after an `@` where not the usual, or `key=value` pairs between semicolons.
    source : str
        Begins the messages.

    Raises
    ------
    InputError
        Neither a preset nor all that is needed, or values that contradict each other.
    """
    if "=" not in text:
        return _preset(text, source)
    cells = [part.partition("=") for part in text.split(";") if part.strip()]
    values = {key.strip().lower(): value.strip().lower() for key, _, value in cells}
    if len(values) < len(cells):
        raise InputError(f"{source}: '{text}' says something twice; say it once.")
    if unknown := [key for key in values if key not in REQUIRED + OPTIONAL]:
        raise InputError(
            f"{source}: unknown '{unknown[0]}' in '{text}'; use {', '.join(REQUIRED + OPTIONAL)}."
        )
    if missing := [key for key in REQUIRED if key not in values]:
        raise InputError(f"{source}: '{text}' lacks {' and '.join(missing)}; {HOW}.")
    size = _pixels(values["size"], "size", source)
    resize = values.get("resize", values["size"])
    found = Preprocessing(
        size,
        _three(values["mean"], "mean", source),
        _three(values["std"], "std", source),
        _one_of(values["channels"], "channels", ("rgb", "bgr"), source),
        int(_one_of(values["range"], "range", ("1", "255"), source)),
        None if resize == "stretch" else _pixels(resize, "resize", source),
        _one_of(values.get("interpolation", "bilinear"), "interpolation", ("bilinear", "bicubic"), source),
    )
    _check(found, source)
    return found


def _preset(text, source):
    name, _, pixels = text.strip().partition("@")
    if name not in PRESETS or (pixels and not re.fullmatch("[1-9][0-9]{0,4}", pixels)):
        raise InputError(f"{source}: unknown preprocessing '{text}'; {HOW}.")
    preset = PRESETS[name]
    if not pixels:
        return preset
    return replace(preset, size=int(pixels), resize=preset.resize and int(pixels))


def _pixels(text, key, source):
    if not re.fullmatch("[1-9][0-9]{0,4}", text):
        also = " or 'stretch'" if key == "resize" else ""
        raise InputError(
            f"{source}: {key}={text} is not a number of pixels; write a whole number such as 224{also}."
        )
    return int(text)


def _three(text, key, source):
    parts = re.split(r"[,\s/]+", text.strip("[]() "))
    try:
        numbers = tuple(map(float, parts))
    except ValueError:
        numbers = ()
    if len(numbers) not in (1, 3) or not all(abs(number) < 1e6 for number in numbers):
        raise InputError(
            f"{source}: {key}={text} is neither one number nor three; write such as {key}=0.5,0.5,0.5."
        )
    return numbers * 3 if len(numbers) == 1 else numbers


def _one_of(text, key, allowed, source):
    if text not in allowed:
        raise InputError(f"{source}: {key}={text} is not allowed; write {' or '.join(allowed)}.")
    return text


def _check(found, source):
    if min(found.std) <= 0:
        raise InputError(f"{source}: std must be above 0; write 1 where nothing is divided.")
    if found.range == 1 and max(map(abs, found.mean + found.std)) > 1:
        raise InputError(
            f"{source}: a mean or std above 1 does not fit range=1; write range=255 if pixels run to 255."
        )
    if found.range == 255 and 0 < max(map(abs, found.mean)) <= 1:
        raise InputError(
            f"{source}: a mean of at most 1 does not fit range=255; write range=1 if pixels run to 1."
        )
    if found.resize is not None and found.resize < found.size:
        raise InputError(
            f"{source}: resize={found.resize} is smaller than size={found.size}; write resize=stretch or more."
        )


def declared(row, source):
    """The preprocessing that a row declares, in its column or after its architecture; None where it does not.

    Parameters
    ----------
    row : dict of the row's fields that are set
    source : str
        Begins the messages.

    Raises
    ------
    InputError
        What is declared cannot be used, or nothing is declared where it cannot be known: for weights in a file that no
        library describes.
    """
    kind, text = row["source"], row.get("preprocessing", "")
    old = row["identifier"].partition(":")[2].partition(":")[2] if kind == "checkpoint" else ""
    if text and kind in ("precomputed", "random"):
        raise InputError(
            f"{source}: features of the source {kind} are not preprocessed; leave preprocessing empty."
        )
    if text and old:
        raise InputError(
            f"{source}: the preprocessing stands in identifier ('{old}') too; take it out there."
        )
    if text or old:
        return parse(text or old, f"{source}, field {'preprocessing' if text else 'identifier'}")
    if kind == "checkpoint" or (kind in SILENT and row.get("weights", "").lower().endswith(FILES)):
        raise InputError(unknown(source, row.get("weights", "")))
    return None


def unknown(source, what):
    """The sentence that asks for the preprocessing of weights that do not say it."""
    asked = f"how images were preprocessed for {what or 'these weights'} is not known"
    return f"{source}: {asked}; set the column preprocessing: {HOW}."
