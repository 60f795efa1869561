"""Points as heatmaps, and back (SimpleBaseline: Xiao et al., arXiv:1804.06208)."""

import torch
from torch import Tensor

_QUARTER = 0.25  # pixels by which a peak is moved towards its higher neighbour


def drawn(points: Tensor, *, shape: tuple[int, int], sigma: float) -> Tensor:
    """A Gaussian with a peak of 1 around each point.

    Args:
        points: (..., 2), x and y in pixels of the heatmap; (0.5, 0.5) is the middle of a pixel.
        shape: height and width of a heatmap.
        sigma: sigma of the Gaussian, in pixels.

    Returns:
        (..., *shape), with the dtype of the points and on their device.
    """
    rows, columns = (
        torch.arange(side, dtype=points.dtype, device=points.device) + 0.5 for side in shape
    )
    away_x = (columns - points[..., 0, None]) ** 2
    away_y = (rows - points[..., 1, None]) ** 2
    return torch.exp(-(away_y[..., :, None] + away_x[..., None, :]) / (2 * sigma**2))


def peaks(heatmaps: Tensor) -> tuple[Tensor, Tensor]:
    """The highest pixel of each heatmap, moved a quarter of a pixel to its higher neighbours.

    Args:
        heatmaps: (..., H, W).

    Returns:
        Points (..., 2), x and y in pixels of the heatmap, and the height of each (...).
    """
    high, wide = heatmaps.shape[-2:]
    flat = heatmaps.flatten(-2)
    height, at = flat.max(-1)
    y, x = at // wide, at % wide

    def value(row: Tensor, column: Tensor) -> Tensor:
        return flat.gather(-1, (row * wide + column)[..., None])[..., 0]

    right = value(y, (x + 1).clamp_max(wide - 1)) - value(y, (x - 1).clamp_min(0))
    down = value((y + 1).clamp_max(high - 1), x) - value((y - 1).clamp_min(0), x)
    inside = [(x > 0) & (x < wide - 1), (y > 0) & (y < high - 1)]
    moved = [
        each.sign() * _QUARTER * within
        for each, within in zip((right, down), inside, strict=True)
    ]
    points = torch.stack([x + 0.5 + moved[0], y + 0.5 + moved[1]], dim=-1)
    return points, height
