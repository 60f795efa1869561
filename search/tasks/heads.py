"""Backbones for heads: seeded weights, and the features that a head may take."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import TypeVar

import torch
from torch import Tensor, nn

from res2net import Architecture
from res2net.backbone import Backbone
from res2net.building import build
from search.schema.seeds import seed_of
from search.tasks.base import DivergedError

Head = TypeVar("Head", bound=nn.Module)


def backbone_of(
    architecture: Architecture, *, seed: int, output_stride: int | None = None
) -> Backbone:
    """The network without its classifier, on the CPU; it outputs every stage's features.

    Args:
        architecture: architecture of the network.
        seed: seed of its weights.
        output_stride: output stride of the last stage relative to the image; by default the
            skeleton's own.
    """
    stages = range(1, len(architecture.facts.stages) + 1)
    backbone = build(architecture, features=stages, output_stride=output_stride, seed=seed)
    assert isinstance(backbone, Backbone), "features were asked for"
    return backbone


def seeded(make: Callable[[], Head], *, seed: int) -> Head:
    """A module that initialises itself, with weights drawn only from the given seed."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed_of(seed, "head"))
        return make()


def one_a_stride(strides: dict[str, int]) -> list[str]:
    """The last of the features of each stride, finest first.

    Args:
        strides: stride of each feature relative to the image, by key, in the order of the
            stages.
    """
    return list({stride: key for key, stride in strides.items()}.values())


def as_float(tensor: Tensor) -> Tensor:
    """Keep float64; convert all else to float32, in which losses are computed."""
    return tensor if tensor.dtype == torch.float64 else tensor.float()


def without_autocast(like: Tensor) -> AbstractContextManager[object]:
    """Within the block, computations on a tensor's device keep the tensor's own precision."""
    if like.is_meta:  # has only shapes, and no precision to choose
        return nullcontext()
    return torch.autocast(like.device.type, enabled=False)


def require_finite(outputs: Tensor) -> None:
    """Check that a network's outputs are finite.

    Raises:
        DivergedError: one of them is not.
    """
    # On the meta device there are only shapes.
    if not outputs.is_meta and not outputs.isfinite().all():
        raise DivergedError("the network puts out numbers that are not finite")
