"""Images as the networks' own pipelines see them: `Image.open(path).convert("RGB")`, with what that does counted.

The pipelines of torchvision, timm and open_clip neither turn an image by its EXIF orientation nor blend transparency:
they drop the alpha channel. Where Pillow would clip (16 bits a channel) values are scaled instead.
"""

import warnings

import numpy as np
from PIL import Image, UnidentifiedImageError

from repalign.inputs.placeholders import placeholder

ORIENTATION = 274  # EXIF tag
ALPHA = {"RGBA", "LA", "PA", "RGBa", "La"}

# What may be done to an image beside decoding it, and how a log says it.
TURNED = "an EXIF orientation is not applied"
TRANSPARENT = "transparency is dropped"
SCALED = "16 bits are scaled to 8"
DARK = "16-bit values stay below 4096, as if of 12 bits"
FIRST = "of several frames the first is read"
CMYK = "CMYK becomes RGB"


def read_rgb(path):
    """Decode an image.

    Parameters
    ----------
    path : file

    Returns
    -------
    (RGB image, tuple of str: what was done to it, in the words of this module)

    Raises
    ------
    ValueError
        The reason, in half a sentence: missing, damaged, not an image, or of a depth that can be read in two ways.
    """
    try:
        with warnings.catch_warnings():
            # Pillow only warns of a file that would fill the memory.
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            warnings.filterwarnings("ignore", "Palette images with Transparency")
            with Image.open(path) as image:
                return _rgb(image)
    except FileNotFoundError:
        raise ValueError("it does not exist") from None
    except UnidentifiedImageError as error:
        found = placeholder(path)
        raise ValueError(f"it is {found[0]}; {found[1]}" if found else str(error).splitlines()[0]) from None
    except Exception as error:  # Pillow's decoders raise whatever they stumble over
        raise ValueError((str(error) or type(error).__name__).splitlines()[0]) from None


def _rgb(image):
    done = []
    if getattr(image, "is_animated", False):
        done.append(FIRST)
    if image.getexif().get(ORIENTATION, 1) not in (0, 1):
        done.append(TURNED)
    if image.mode.startswith("I;16") or (image.mode == "I" and image.format == "PNG"):
        values = np.asarray(image).astype(np.int64)
        if 0 < values.max() < 256:
            raise ValueError(
                f"its 16-bit values reach only {values.max()} of 65535, so it may be of 8 bits; save it as such"
            )
        done.append(SCALED)
        if values.max() < 4096:
            done.append(DARK)
        return Image.fromarray((values >> 8).astype(np.uint8)).convert("RGB"), tuple(done)
    if image.mode in ("I", "F"):
        kind = "32-bit integers" if image.mode == "I" else "fractions"
        raise ValueError(f"its pixels are {kind}, whose white is not known; save it with 8 or 16 bits")
    if _is_transparent(image):
        done.append(TRANSPARENT)
    if image.mode == "CMYK":
        done.append(CMYK)
    return image.convert("RGB"), tuple(done)


def _is_transparent(image):
    """Whether any pixel is not opaque."""
    if image.mode not in ALPHA and "transparency" not in image.info:
        return False
    return image.convert("RGBA").getchannel("A").getextrema()[0] < 255
