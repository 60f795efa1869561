"""A backbone with a head on it: seeded weights, and the features that a head may take."""

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
    """The network without its classifier, on the CPU; it puts out every stage's features.

    Args:
        architecture: of the network.
        seed: of its weights.
        output_stride: of the last stage against the image; the skeleton's own where not given.
    """
    stages = range(1, len(architecture.facts.stages) + 1)
    backbone = build(architecture, features=stages, output_stride=output_stride, seed=seed)
    assert isinstance(backbone, Backbone), "features were asked for"
    return backbone


def seeded(make: Callable[[], Head], *, seed: int) -> Head:
    """A module that initialises itself, its weights drawn from a seed and from nothing else."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed_of(seed, "head"))
        return make()


def one_a_stride(strides: dict[str, int]) -> list[str]:
    """Of features of the same stride the last, finest first.

    Args:
        strides: of each feature against the image, by key, in the order of the stages.
    """
    return list({stride: key for key, stride in strides.items()}.values())


def as_float(tensor: Tensor) -> Tensor:
    """float64 stays; all else becomes float32, in which losses are taken."""
    return tensor if tensor.dtype == torch.float64 else tensor.float()


def without_autocast(like: Tensor) -> AbstractContextManager[object]:
    """In it what is computed where a tensor lies stays in the precision that it has."""
    if like.is_meta:  # has shapes alone, and no precision to choose
        return nullcontext()
    return torch.autocast(like.device.type, enabled=False)


def require_finite(outputs: Tensor) -> None:
    """See that a network put out numbers.

    Raises:
        DivergedError: one of them is not finite.
    """
    # On the meta device there are only shapes.
    if not outputs.is_meta and not outputs.isfinite().all():
        raise DivergedError("the network puts out numbers that are not finite")
