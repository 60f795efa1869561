"""Make the ResNet skeletons in torch."""

from collections.abc import Iterator

from torch import nn

from res2net.blocks.pooling import DilatedAvgPool2
from res2net.skeletons.base import Layout, Pace
from res2net.skeletons.conv_norm import conv_norm


def make_modules(layout: Layout) -> dict[str, nn.Module]:
    """Make stem and stages.

    Returns:
        Modules by their published names, in the order in which an image passes through them.
    """
    modules = dict(_stem(layout))
    channels = layout.planes
    for stage in layout.stages:
        shortcut = _shortcut(channels, stage.out, stage.pace, layout.version)
        blocks = [layout.block.make_module(stage.shape, stage.opening(channels), shortcut)]
        for _ in range(int(stage.blocks) - 1):
            blocks.append(layout.block.make_module(stage.shape, stage.inside, None))
        modules[stage.name] = nn.Sequential(*blocks)
        channels = stage.out
    return modules


def _stem(layout: Layout) -> Iterator[tuple[str, nn.Module]]:
    """Make a 3x3 (CIFAR); a 7x7 of stride 2 (v1) or three 3x3 (v1b), then 3x3 max pooling."""
    planes = layout.planes
    if layout.stem_stride == 1:
        yield "conv1", nn.Conv2d(layout.channels, planes, 3, padding=1, bias=False)
    elif layout.version == "v1b":
        yield "conv1", _deep_stem(layout.channels, planes)
    else:
        yield "conv1", nn.Conv2d(layout.channels, planes, 7, 2, padding=3, bias=False)
    yield "bn1", nn.BatchNorm2d(planes)
    yield "relu", nn.ReLU()
    if layout.stem_stride != 1:
        yield "maxpool", nn.MaxPool2d(3, 2, padding=1)


def _deep_stem(channels: int, planes: int) -> nn.Sequential:
    half = planes // 2
    return nn.Sequential(
        *conv_norm(channels, half, kernel=3, stride=2),
        nn.ReLU(),
        *conv_norm(half, half, kernel=3),
        nn.ReLU(),
        nn.Conv2d(half, planes, 3, padding=1, bias=False),
    )


def _shortcut(channels: int, out: int, pace: Pace, version: str) -> nn.Sequential:
    """Make a strided 1x1 (v1), or average pooling followed by a 1x1 (v1b)."""
    if version == "v1":
        return nn.Sequential(*conv_norm(channels, out, stride=pace.stride))
    pool: nn.Module
    if pace.dilation > pace.first_dilation:  # this stage's stride was reduced
        pool = DilatedAvgPool2(pace.first_dilation)
    else:
        stride = pace.stride
        pool = nn.AvgPool2d(stride, stride, ceil_mode=True, count_include_pad=False)
    return nn.Sequential(pool, *conv_norm(channels, out))
