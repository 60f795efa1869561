"""The ResNet skeletons: three stages for CIFAR, four for ImageNet, v1 and v1b.

A skeleton never asks which block it holds: it gives a factory the place of each block.
"""

from collections.abc import Sequence
from typing import Protocol

from torch import Tensor, nn

from res2net.architecture import EXPANSION, Version


class MakeBlock(Protocol):
    """Makes the block that stands at one place of a skeleton."""

    def __call__(
        self, *, stage: int, channels: int, stride: int, shortcut: nn.Module | None
    ) -> nn.Module:
        """Make it; `shortcut` is given where a stage opens, and None inside one."""


class ResNet(nn.Module):
    """Stem, stages, average, linear classifier; module names as in the published weights.

    Args:
        make_block: called once for each block, in order.
        blocks: number of blocks of each stage.
        planes: of the first stage.
        classes: outputs.
        stem: from `cifar_stem` or `imagenet_stem`: conv1, and whether to pool after it.
        version: "v1b" averages before the 1x1 of a shortcut instead of striding it.
    """

    def __init__(
        self,
        *,
        make_block: MakeBlock,
        blocks: Sequence[int],
        planes: int,
        classes: int,
        stem: tuple[nn.Module, nn.Module],
        version: Version,
    ) -> None:
        super().__init__()
        self.conv1, self.maxpool = stem
        self.bn1 = nn.BatchNorm2d(planes)
        self.relu = nn.ReLU(inplace=True)
        channels = planes
        self.stages = tuple(f"layer{stage + 1}" for stage in range(len(blocks)))
        for stage, (name, count) in enumerate(zip(self.stages, blocks, strict=True)):
            stride = 1 if stage == 0 else 2
            out = EXPANSION * planes * 2**stage
            shortcut = _shortcut(channels, out, stride, version)
            members = [
                make_block(stage=stage, channels=channels, stride=stride, shortcut=shortcut)
            ]
            members += [
                make_block(stage=stage, channels=out, stride=1, shortcut=None)
                for _ in range(count - 1)
            ]
            self.add_module(name, nn.Sequential(*members))
            channels = out
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(channels, classes)

    def forward(self, x: Tensor) -> Tensor:
        """Images (N, 3, H, W) to logits (N, classes)."""
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        for name in self.stages:
            x = self.get_submodule(name)(x)
        logits: Tensor = self.fc(self.avgpool(x).flatten(1))
        return logits


def cifar_stem(planes: int) -> tuple[nn.Module, nn.Module]:
    """One 3x3 at full resolution, no pooling."""
    return nn.Conv2d(3, planes, 3, padding=1, bias=False), nn.Identity()


def imagenet_stem(planes: int, version: Version) -> tuple[nn.Module, nn.Module]:
    """7x7 of stride 2 (v1) or three 3x3 (v1b), then 3x3 max pooling of stride 2."""
    pool = nn.MaxPool2d(3, 2, padding=1)
    if version == "v1":
        return nn.Conv2d(3, planes, 7, 2, padding=3, bias=False), pool
    half = planes // 2
    deep = nn.Sequential(
        nn.Conv2d(3, half, 3, 2, padding=1, bias=False),
        nn.BatchNorm2d(half),
        nn.ReLU(inplace=True),
        nn.Conv2d(half, half, 3, padding=1, bias=False),
        nn.BatchNorm2d(half),
        nn.ReLU(inplace=True),
        nn.Conv2d(half, planes, 3, padding=1, bias=False),
    )
    return deep, pool


def _shortcut(channels: int, out: int, stride: int, version: Version) -> nn.Sequential:
    conv_stride = 1 if version == "v1b" else stride
    conv = nn.Conv2d(channels, out, 1, conv_stride, bias=False)
    if version == "v1":
        return nn.Sequential(conv, nn.BatchNorm2d(out))
    pool = nn.AvgPool2d(stride, stride, ceil_mode=True, count_include_pad=False)
    return nn.Sequential(pool, conv, nn.BatchNorm2d(out))
