"""An `Architecture` becomes a torch module with weights drawn from a seed."""

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

import torch
from torch import nn

from res2net.architecture import Architecture
from res2net.backbone import Backbone
from res2net.block import Res2NetBlock
from res2net.cost import checked_features
from res2net.counting import slimmed
from res2net.errors import ArchitectureError
from res2net.joined import JoinedConv2d
from res2net.names import parse
from res2net.skeletons import Pace
from res2net.skeletons.biglittle import biglittle
from res2net.skeletons.dla import dla
from res2net.skeletons.parts import MakeBlock, Parts, Place
from res2net.skeletons.resnet import resnet
from res2net.tally import Shape

Features = Collection[int] | Mapping[int, str]


def build(
    architecture: Architecture | str,
    *,
    features: Features | None = None,
    output_stride: int | None = None,
    weights: Path | str | None = None,
    seed: int = 0,
    device: str | torch.device = "cpu",
) -> nn.Module:
    """Build the network, initialised from `seed` and from no global state.

    Args:
        architecture: a description, or any name that `res2net.parse` reads.
        features: None for the classifier; stages, counted from 1, for a backbone that puts
            out a dict of their features; a mapping from stage to key names them, else the
            keys are the names of the modules ("layer1"). Both share weights and their names.
        output_stride: of the last stage against the image; where it is smaller than the
            skeleton's own, dilation takes the place of strides.
        weights: a checkpoint, as `res2net.weights.load` takes it, or "timm": those that timm
            has of this network, through its hub.
        seed: of the initial weights; the same seed gives the same weights on every device.
        device: where the module lives; "meta" builds shapes only.

    Returns:
        A float32 module in training mode: images (N, 3, H, W) to logits (N, classes), or a
        `Backbone`: to a dict of (N, C, H / stride, W / stride).

    Raises:
        ArchitectureError: the name is not understood, or the skeleton has no such stage or
            output stride.
        WeightsError: the weights cannot be had, or are those of another network.
    """
    if isinstance(architecture, str):
        architecture = parse(architecture)
    with torch.device("meta"):  # no memory, and torch's own initialisation costs no time
        module = _assemble(architecture, features, output_stride)
    if torch.device(device).type != "meta":
        module.to_empty(device="cpu")
        _initialise(module, torch.Generator().manual_seed(seed))
        module.to(device)
    if weights is not None:
        from res2net.weights import fill_from  # noqa: PLC0415 - it builds what it compares

        fill_from(module, architecture, weights)
    return module


def _assemble(
    architecture: Architecture, features: Features | None, output_stride: int | None
) -> nn.Module:
    facts = architecture.facts
    pace = facts.pace(output_stride)
    stack = _SKELETONS[architecture.skeleton]
    factory = _blocks_of(architecture)
    channels = facts.expansion * architecture.planes
    if features is None:
        parts = stack(architecture, pace, factory)
        head = _head(architecture, channels * 2 ** (len(pace) - 1))
        classifier = nn.Sequential()
        for name, part in (parts | head).items():
            classifier.add_module(name, part)
        return classifier
    stages = checked_features(facts, features)
    parts = stack(architecture, pace[: max(stages)], factory)
    names = {stage: facts.stages[stage - 1] for stage in stages}
    keys = dict(features) if isinstance(features, Mapping) else names
    if len(set(keys.values())) < len(keys):
        raise ArchitectureError("features", f"{keys} gives two stages one key; write another")
    return Backbone(
        parts,
        keys={names[stage]: keys[stage] for stage in stages},
        channels={keys[stage]: channels * 2 ** (stage - 1) for stage in stages},
        strides={keys[stage]: pace[stage - 1].reached for stage in stages},
    )


def _blocks_of(a: Architecture) -> MakeBlock:
    """The factory of an architecture's blocks."""

    def make_block(place: Place) -> Res2NetBlock:
        stage = place.stage
        width, scale, groups = a.widths[stage], a.scales[stage], a.cardinalities[stage]
        shape = Shape(width * 2**stage, scale, groups, a.se)
        if place.slim:
            shape = slimmed(shape)
        return Res2NetBlock(
            channels=place.channels,
            out=place.out,
            width=int(shape.split),
            scale=scale,
            cardinality=groups,
            stride=place.stride,
            dilation=place.dilation,
            first_block=a.first_block,
            se=a.se,
            shortcut=place.shortcut,
            activation=place.activation,
        )

    return make_block


def _head(a: Architecture, channels: int) -> Parts:
    """Average and a linear layer; "dla" has it as a 1x1 convolution, as published."""
    pool = nn.AdaptiveAvgPool2d(1)
    if a.skeleton == "dla":
        return {"avgpool": pool, "fc": nn.Conv2d(channels, a.classes, 1), "flat": nn.Flatten()}
    return {"avgpool": pool, "flat": nn.Flatten(), "fc": nn.Linear(channels, a.classes)}


def _initialise(module: nn.Module, generator: torch.Generator) -> None:
    """He's normal for convolutions (fan out), 1 and 0 for norms, torch's own for the rest."""
    for part in module.modules():
        if isinstance(part, nn.Conv2d):
            parts = part.parts if isinstance(part, JoinedConv2d) else 1
            for weight in part.weight.detach().chunk(parts):
                nn.init.kaiming_normal_(
                    weight, mode="fan_out", nonlinearity="relu", generator=generator
                )
            if part.bias is not None:
                nn.init.zeros_(part.bias)
        elif isinstance(part, nn.BatchNorm2d):
            part.reset_parameters()
        elif isinstance(part, nn.Linear):
            bound = 1 / math.sqrt(part.in_features)
            nn.init.uniform_(part.weight, -bound, bound, generator=generator)
            nn.init.uniform_(part.bias, -bound, bound, generator=generator)


_SKELETONS: Mapping[str, Callable[[Architecture, Sequence[Pace], MakeBlock], Parts]] = {
    "cifar": resnet,
    "imagenet": resnet,
    "dla": dla,
    "biglittle": biglittle,
}
