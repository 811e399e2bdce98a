"""Preprocessings that weights were trained with but no library carries along."""

import numpy as np
import torch
from PIL import Image
from torchvision.transforms._presets import ImageClassification

from repalign.errors import InputError

CAFFE_BGR_MEAN = (104.0, 117.0, 123.0)


class CaffeBGR:
    """Stretch to 227 x 227 px, channels in the order BGR, values 0-255 minus the channel means.

    As in the networks that were trained in Caffe, SqueezeNet among them [1].

    References
    ----------
    [1] Iandola et al. (2016), SqueezeNet, arXiv:1602.07360.
    """

    def __init__(self, size=227):
        self.size = size

    def __call__(self, image):
        resized = image.convert("RGB").resize((self.size, self.size), Image.Resampling.BILINEAR)
        bgr = np.asarray(resized, dtype=np.float32)[:, :, ::-1] - np.asarray(CAFFE_BGR_MEAN, dtype=np.float32)
        return torch.from_numpy(np.ascontiguousarray(bgr.transpose(2, 0, 1)))

    def __repr__(self):
        return f"CaffeBGR(size={self.size}, mean={CAFFE_BGR_MEAN})"


def imagenet(size=None):
    """The evaluation transform of ImageNet: shorter side to 256, centre crop of 224, mean and sd of its pixels.

    With a `size` other than the default the shorter side is resized to it and nothing is cut off but the rest of the
    longer one.
    """
    if size is None:
        return ImageClassification(crop_size=224, resize_size=256)
    return ImageClassification(crop_size=size, resize_size=size)


PREPROCESSINGS = {"imagenet": imagenet, "caffe_bgr": CaffeBGR}


def preprocessing(name):
    """A preprocessing by name, `imagenet` or `caffe_bgr`, with its pixels a side after an `@` where not the usual.

    Raises
    ------
    InputError
        Another name.
    """
    kind, _, pixels = name.partition("@")
    if kind not in PREPROCESSINGS or (pixels and not pixels.isdigit()):
        raise InputError(
            f"Unknown preprocessing '{name}'; write imagenet or caffe_bgr, or imagenet@64 for 64 px."
        )
    return PREPROCESSINGS[kind](int(pixels)) if pixels else PREPROCESSINGS[kind]()
