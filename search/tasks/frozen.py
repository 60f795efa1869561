"""Freezes the first stages of a backbone, and its norms, as for detection from few images."""

from typing import Self

from torch import nn

from res2net.backbone import Backbone


class StillNorm(nn.BatchNorm2d):
    """A batch norm whose statistics stay as they are, in training too."""

    def train(self, mode: bool = True) -> Self:  # noqa: ARG002 - it never trains
        """Stay in evaluation."""
        return super().train(mode=False)


def freeze(backbone: Backbone, *, stages: int, norms: str) -> None:
    """Freeze parts of a backbone.

    Args:
        backbone: from `res2net.build` with features.
        stages: number of frozen stages, the stem first: 1 is the stem alone, 2 the stem and the
            first stage.
        norms: "frozen" freezes all batch norms, "trained" only those of frozen stages.
    """
    if norms == "frozen":
        _still(backbone)
    frozen = -1  # stages so far; the stem is not one
    for name, module in backbone.items():
        stage = frozen + (name in backbone.channels)
        if stage + 2 > stages:
            return
        module.requires_grad_(requires_grad=False)
        _still(module)
        frozen = stage


def _still(module: nn.Module) -> None:
    for child in module.modules():
        if type(child) is nn.BatchNorm2d:
            child.__class__ = StillNorm
            child.requires_grad_(requires_grad=False)
            child.eval()
