"""From an image to the tensor that a network reads, where the model sheet declares how."""

import torch
from PIL import Image
from torchvision.transforms import InterpolationMode, functional


class Pixels:
    """A preprocessing that was declared.

    Parameters
    ----------
    how : repalign.inputs.preprocessing.Preprocessing
    """

    def __init__(self, how):
        self.how = how

    def __call__(self, image):
        """RGB image (PIL) -> (3, size, size) float32 tensor."""
        how, image = self.how, image.convert("RGB")
        if how.resize is None:
            resample = Image.Resampling[how.interpolation.upper()]
            image = image.resize((how.size, how.size), resample)
        else:
            image = functional.resize(image, how.resize, InterpolationMode[how.interpolation.upper()])
            image = functional.center_crop(image, how.size)
        pixels = functional.pil_to_tensor(image).float()
        if how.channels == "bgr":
            pixels = pixels.flip(0)
        if how.range == 1:
            pixels /= 255
        mean, std = (torch.tensor(values)[:, None, None] for values in (how.mean, how.std))
        return pixels.sub_(mean).div_(std)

    def __repr__(self):
        return repr(self.how)
