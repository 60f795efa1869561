"""What every skeleton is made of: named parts, one after another, and blocks made to order.

A skeleton never asks which block it holds: it gives a factory the place of each block.
"""

from typing import Protocol

from torch import nn

Parts = dict[str, nn.Module]  # in the order in which an image passes them


class MakeBlock(Protocol):
    """Makes the block that stands at one place of a skeleton."""

    def __call__(  # noqa: PLR0913 - all by keyword
        self,
        *,
        stage: int,
        channels: int,
        out: int,
        stride: int = 1,
        dilation: int = 1,
        shortcut: nn.Module | None = None,
        slim: bool = False,
        activation: bool = True,
    ) -> nn.Module:
        """Make it; `slim` is for the little branch of "biglittle"."""


def conv_norm(
    channels: int, out: int, *, kernel: int = 1, stride: int = 1
) -> tuple[nn.Conv2d, nn.BatchNorm2d]:
    """A convolution that keeps the side (or divides it by its stride), and its norm."""
    conv = nn.Conv2d(channels, out, kernel, stride, padding=kernel // 2, bias=False)
    return conv, nn.BatchNorm2d(out)
