"""Preprocessings that weights were trained with but no library carries along."""

import numpy as np
import torch
from PIL import Image

IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
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


def imagenet(size=224, resize=256):
    """The usual evaluation transform of ImageNet: shorter side to `resize`, centre crop of `size`, mean and sd."""
    from torchvision.transforms._presets import ImageClassification

    return ImageClassification(crop_size=size, resize_size=resize)


PREPROCESSINGS = {"imagenet": imagenet, "caffe_bgr": CaffeBGR}
