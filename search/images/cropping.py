"""Crops stored uint8 images, each image by its own draw; memory moves in long runs."""

import torch
from torch import Tensor
from torch.nn import functional as F


def padded(images: Tensor, width: int, colour: Tensor) -> Tensor:
    """Images (M, side, side, C) with a border of `width` pixels of one colour (C,)."""
    count, side = images.shape[:2]
    made = colour.repeat(count, side + 2 * width, side + 2 * width, 1)
    made[:, width : width + side, width : width + side] = images
    return made


def windows(images: Tensor, index: Tensor, moves: Tensor | None, side: int) -> Tensor:
    """The window of `side` pixels at its own move (N, 2) of each image in `index` (N,).

    Takes images (M, width, width, C), gives (N, side, side, C) that share no memory with them.
    """
    width, channels = images.shape[1], images.shape[3]
    start = index * width**2
    if moves is not None:
        start = start + moves[:, 0] * width + moves[:, 1]
    # From its first pixel to its last a window is one run of memory, which also holds what
    # lies beside it. One copy a run is several times quicker than one a pixel or a row.
    length = ((side - 1) * width + side) * channels
    runs = images.view(-1).unfold(0, length, channels).index_select(0, start)
    shape = (len(runs), side, side, channels)
    return runs.as_strided(shape, (length, width * channels, channels, 1))


def mirrored(images: Tensor, chosen: Tensor) -> Tensor:
    """uint8 images (N, H, W, C), those chosen by (N,) bool from right to left."""
    mask = (chosen.to(torch.uint8) * 255).view(-1, 1, 1, 1)
    # torch.where in bits: bytes are no vectors to torch.where, which takes three times as long
    return images.flip(2).bitwise_xor_(images).bitwise_and_(mask).bitwise_xor_(images)


def zoomed(images: Tensor, boxes: Tensor, chosen: Tensor | None, side: int) -> Tensor:
    """Each box (N, 4) resized to `side` pixels; those chosen from right to left.

    Bilinear and not antialiased, as torchvision's resized_crop with `antialias=False`: pixels
    beyond the box have no say. Antialiasing would change only boxes that shrink, of which
    there are none unless the stored images are larger than what the network sees.

    Takes floating point images (N, C, H, H), gives (N, C, side, side).
    """
    last = images.shape[-1] - 1
    centres = torch.arange(side, device=images.device, dtype=images.dtype) + 0.5
    start, size = boxes.to(images.dtype).view(-1, 2, 2, 1).unbind(1)
    points = (centres * (size / side) - 0.5).clamp(min=0).minimum(size - 1) + start
    rows, columns = (points * (2 / last) - 1).unbind(1)  # grid_sample counts from -1 to 1
    if chosen is not None:
        columns = torch.where(chosen[:, None], columns.flip(1), columns)
    grid = torch.stack(
        [
            columns[:, None, :].expand(-1, side, -1),
            rows[:, :, None].expand(-1, -1, side),
        ],
        3,
    )
    return F.grid_sample(images, grid, padding_mode="border", align_corners=True)
