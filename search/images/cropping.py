"""Crops stored uint8 images, each with its own draw; memory is copied in long runs."""

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
    """Cut a window of `side` pixels from each image in `index` (N,), at its own move (N, 2).

    Takes images (M, width, width, C), gives (N, side, side, C) that share no memory with them.
    """
    width, channels = images.shape[1], images.shape[3]
    start = index * width**2
    if moves is not None:
        start = start + moves[:, 0] * width + moves[:, 1]
    # From its first to its last pixel, a window is one run of memory, which also holds pixels
    # beside it. One copy per run is several times faster than one per pixel or row.
    length = ((side - 1) * width + side) * channels
    runs = images.view(-1).unfold(0, length, channels).index_select(0, start)
    shape = (len(runs), side, side, channels)
    return runs.as_strided(shape, (length, width * channels, channels, 1))


def mirrored(images: Tensor, chosen: Tensor) -> Tensor:
    """uint8 images (N, H, W, C), with those chosen by (N,) bool mirrored."""
    mask = (chosen.to(torch.uint8) * 255).view(-1, 1, 1, 1)
    # torch.where by bit operations: torch.where does not vectorise bytes, and takes thrice as
    # long
    return images.flip(2).bitwise_xor_(images).bitwise_and_(mask).bitwise_xor_(images)


def zoomed(images: Tensor, boxes: Tensor, chosen: Tensor | None, side: int) -> Tensor:
    """Resize each box (N, 4) to `side` pixels; chosen ones are mirrored.

    Bilinear and not antialiased, as torchvision's resized_crop with `antialias=False`: pixels
    outside the box have no influence. Antialiasing would change only boxes that shrink, which
    happens only if the stored images are larger than what the network sees.

    Takes floating point images (N, C, H, H), gives (N, C, side, side).
    """
    last = images.shape[-1] - 1
    centres = torch.arange(side, device=images.device, dtype=images.dtype) + 0.5
    start, size = boxes.to(images.dtype).view(-1, 2, 2, 1).unbind(1)
    points = (centres * (size / side) - 0.5).clamp(min=0).minimum(size - 1) + start
    rows, columns = (points * (2 / last) - 1).unbind(1)  # grid_sample takes -1 to 1
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
