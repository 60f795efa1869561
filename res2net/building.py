"""An `Architecture` becomes a torch module with weights drawn from a seed."""

import math

import torch
from torch import nn

from res2net.architecture import Architecture
from res2net.block import Res2NetBlock
from res2net.names import parse
from res2net.skeletons.resnet import ResNet, cifar_stem, imagenet_stem


def build(
    architecture: Architecture | str, *, seed: int = 0, device: str | torch.device = "cpu"
) -> ResNet:
    """Build the network, initialised from `seed` and from no global state.

    Args:
        architecture: a description, or any name that `res2net.parse` reads.
        seed: of the initial weights; the same seed gives the same weights on every device.
        device: where the module lives; "meta" builds shapes only.

    Returns:
        A float32 module in training mode: images (N, 3, H, W) to logits (N, classes).

    Raises:
        ArchitectureError: the name is not understood.
    """
    if isinstance(architecture, str):
        architecture = parse(architecture)
    with torch.device("meta"):  # no memory, and torch's own initialisation costs no time
        module = _assemble(architecture)
    if torch.device(device).type != "meta":
        module.to_empty(device="cpu")
        _initialise(module, torch.Generator().manual_seed(seed))
        module.to(device)
    return module


def _assemble(architecture: Architecture) -> ResNet:
    a = architecture

    def make_block(
        *, stage: int, channels: int, stride: int, shortcut: nn.Module | None
    ) -> Res2NetBlock:
        return Res2NetBlock(
            channels=channels,
            planes=a.planes * 2**stage,
            width=a.width * 2**stage * a.cardinality,
            scale=a.scale,
            cardinality=a.cardinality,
            stride=stride,
            first=None if shortcut is None else a.first_block,
            se=a.se,
            shortcut=shortcut,
        )

    cifar = a.skeleton == "cifar"
    return ResNet(
        make_block=make_block,
        blocks=a.blocks,
        planes=a.planes,
        classes=a.classes,
        stem=cifar_stem(a.planes) if cifar else imagenet_stem(a.planes, a.version),
        version=a.version,
    )


def _initialise(module: nn.Module, generator: torch.Generator) -> None:
    """He's normal for convolutions (fan out), 1 and 0 for norms, torch's own for the rest."""
    for part in module.modules():
        if isinstance(part, nn.Conv2d):
            nn.init.kaiming_normal_(
                part.weight, mode="fan_out", nonlinearity="relu", generator=generator
            )
            if part.bias is not None:
                nn.init.zeros_(part.bias)
        elif isinstance(part, nn.BatchNorm2d):
            part.reset_parameters()
        elif isinstance(part, nn.Linear):
            bound = 1 / math.sqrt(part.in_features)
            nn.init.uniform_(part.weight, -bound, bound, generator=generator)
            nn.init.uniform_(part.bias, -bound, bound, generator=generator)
