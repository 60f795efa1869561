"""The ResNet skeletons: three stages for CIFAR, four for ImageNet, v1 and v1b."""

from collections.abc import Iterator, Sequence

from torch import nn

from res2net.architecture import Architecture, Version
from res2net.pooling import SpreadAvgPool2
from res2net.skeletons import Pace
from res2net.skeletons.parts import MakeBlock, Parts, Place


def resnet(a: Architecture, pace: Sequence[Pace], make_block: MakeBlock) -> Parts:
    """Stem and stages.

    Args:
        a: its skeleton is "cifar" or "imagenet".
        pace: how each stage steps; as many stages are made.
        make_block: called once for each block, in order.

    Returns:
        The parts in the order in which an image passes them, by their published names.
    """
    parts = dict(_cifar_stem(a.planes) if a.skeleton == "cifar" else _imagenet_stem(a))
    channels = a.planes
    for stage, step in enumerate(pace):
        out = a.facts.expansion * a.planes * 2**stage
        shortcut = _shortcut(channels, out, step, a.version)
        opening = Place(
            stage, channels, out, step.stride, step.first_dilation, shortcut=shortcut
        )
        inside = Place(stage, out, out, dilation=step.dilation)
        places = [opening, *[inside] * (a.blocks[stage] - 1)]
        parts[a.facts.stages[stage]] = nn.Sequential(*map(make_block, places))
        channels = out
    return parts


def _cifar_stem(planes: int) -> Iterator[tuple[str, nn.Module]]:
    """One 3x3 at full resolution, no pooling."""
    yield "conv1", nn.Conv2d(3, planes, 3, padding=1, bias=False)
    yield "bn1", nn.BatchNorm2d(planes)
    yield "relu", nn.ReLU(inplace=True)


def _imagenet_stem(a: Architecture) -> Iterator[tuple[str, nn.Module]]:
    """7x7 of stride 2 (v1) or three 3x3 (v1b), then 3x3 max pooling of stride 2."""
    if a.version == "v1":
        yield "conv1", nn.Conv2d(3, a.planes, 7, 2, padding=3, bias=False)
    else:
        half = a.planes // 2
        yield (
            "conv1",
            nn.Sequential(
                nn.Conv2d(3, half, 3, 2, padding=1, bias=False),
                nn.BatchNorm2d(half),
                nn.ReLU(inplace=True),
                nn.Conv2d(half, half, 3, padding=1, bias=False),
                nn.BatchNorm2d(half),
                nn.ReLU(inplace=True),
                nn.Conv2d(half, a.planes, 3, padding=1, bias=False),
            ),
        )
    yield "bn1", nn.BatchNorm2d(a.planes)
    yield "relu", nn.ReLU(inplace=True)
    yield "maxpool", nn.MaxPool2d(3, 2, padding=1)


def _shortcut(channels: int, out: int, step: Pace, version: Version) -> nn.Sequential:
    """A strided 1x1; in v1b an average, then a 1x1."""
    if version == "v1":
        conv = nn.Conv2d(channels, out, 1, step.stride, bias=False)
        return nn.Sequential(conv, nn.BatchNorm2d(out))
    conv = nn.Conv2d(channels, out, 1, bias=False)
    if step.dilation > step.first_dilation:  # this stage's stride was cut
        return nn.Sequential(SpreadAvgPool2(step.first_dilation), conv, nn.BatchNorm2d(out))
    pool = nn.AvgPool2d(step.stride, step.stride, ceil_mode=True, count_include_pad=False)
    return nn.Sequential(pool, conv, nn.BatchNorm2d(out))
