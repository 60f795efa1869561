"""Make the pair used in stems, shortcuts and roots: a convolution and its norm."""

from torch import nn


def conv_norm(
    channels: int, out: int, *, kernel: int = 1, stride: int = 1
) -> tuple[nn.Conv2d, nn.BatchNorm2d]:
    """Make a convolution that keeps the side (or divides it by its stride), and its norm."""
    conv = nn.Conv2d(channels, out, kernel, stride, padding=kernel // 2, bias=False)
    return conv, nn.BatchNorm2d(out)
