"""Colour jitter of a batch, each image with its own factors in its own order."""

import torch
from torch import Tensor

from search.images.draws import HUE

_WHITE = 255
_CONTRAST, _SATURATION = 1, 2  # indices in `Training.jitter`
_GREY = (0.2989, 0.587, 0.114)  # torchvision's weights of red, green and blue


def jittered(images: Tensor, factors: Tensor, order: Tensor, *, hue: bool) -> Tensor:
    """Images as torchvision's adjust_* functions change them, up to rounding.

    All operations but hue are the same sum with different weights, so one step does them for
    all images at once. Hue costs several such sums and is done once: between the steps before
    it and those after it, whose numbers differ between images.

    Args:
        images: (N, 3, H, W) floating point, 0 to 255.
        factors: (N, 4) of brightness, contrast, saturation and hue.
        order: (N, k) the operations to do, as indices in `factors`.
        hue: whether hue is among them.
    """
    steps = order.shape[1]
    if not hue:
        for step in range(steps):
            images = _blended(images, factors, order[:, step])
        return images
    hue_step = (order == HUE).to(torch.uint8).argmax(1)
    for step in range(steps - 1):
        now = torch.where(step < hue_step, order[:, step], HUE)
        images = _blended(images, factors, now)
    images = _turned(images, factors[:, HUE])
    for step in range(1, steps):
        now = torch.where(step > hue_step, order[:, step], HUE)
        images = _blended(images, factors, now)
    return images


def _blended(images: Tensor, factors: Tensor, operation: Tensor) -> Tensor:
    """Apply one of the first three operations to each image; to those with HUE, none."""
    factor = factors.gather(1, operation[:, None])
    factor = torch.where(operation[:, None] == HUE, 1, factor).to(images.dtype)
    factor = factor.view(-1, 1, 1, 1)
    operation = operation.view(-1, 1, 1, 1)
    red, green, blue = (images[:, channel, None] for channel in range(3))
    grey = red * _GREY[0] + green * _GREY[1] + blue * _GREY[2]
    mean = grey.mean((1, 2, 3), keepdim=True)
    grey *= (1 - factor) * (operation == _SATURATION)
    grey += mean * ((1 - factor) * (operation == _CONTRAST))
    return torch.addcmul(grey, images, factor).clamp_(0, _WHITE)


def _turned(images: Tensor, hue: Tensor) -> Tensor:
    """Add hue (N,), in turns of the colour circle."""
    red, green, blue = images.unbind(1)
    low = torch.minimum(torch.minimum(red, green), blue)
    high = torch.maximum(torch.maximum(red, green), blue)
    chroma = high - low
    sector = torch.where(high == green, blue - red + 2 * chroma, red - green + 4 * chroma)
    sector = torch.where(high == red, green - blue, sector)
    sector /= torch.where(chroma == 0, 1, chroma)
    sector += 6 * hue.to(images.dtype).view(-1, 1, 1)
    sector -= 6 * (sector / 6).floor()
    # From red at 0 over green at 2 and blue at 4 to red at 6; a channel is full within one
    # sixth of its colour, and zero beyond two.
    shares = ((sector - 3).abs_() - 1, 2 - (sector - 2).abs_(), 2 - (sector - 4).abs_())
    planes = [torch.addcmul(low, chroma, share.clamp_(0, 1)) for share in shares]
    return torch.stack(planes, 1)
