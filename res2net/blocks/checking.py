"""Check a user-defined block: compare its counts with the modules that it makes."""

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple, TypeVar

import numpy as np
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode, flop_registry

from res2net.architecture import Architecture
from res2net.blocks import block_of
from res2net.blocks.base import Block, Paths, Position, Shape
from res2net.building import build, make_modules
from res2net.cost import Cost, cost
from res2net.errors import ArchitectureError
from res2net.layout import lay_out
from res2net.skeletons import SKELETONS
from res2net.tally import Count, IntArray, Size, Tally, strided

_SIZE = Size(37, 29)  # odd, to expose a side rounded down instead of up; not square
_LINEAR = ("aten.mm", "aten.addmm")  # torch's operations for a linear layer
_Result = TypeVar("_Result")


def check_block(name: str, networks: Sequence[Architecture] = ()) -> None:
    """Compare what a block counts with what it makes; both must be exactly equal.

    Every kind of block in each network is made on the meta device, by itself and within the
    network. Parameters are counted from its modules, multiply-adds by torch's FlopCounterMode,
    activations as the outputs of convolutions and linear layers. Then one network is run.

    Args:
        name: the block, written as for `res2net.Architecture`.
        networks: networks to check the block in, with whatever block they have replaced by it;
            by default, small networks of every skeleton, with every dimension,
            squeeze-and-excitation and dilation. Pass some where the block does not support
            every dimension.

    Raises:
        ArchitectureError: the block cannot be found, lacks a function, raises, or its count
            differs from what is built; the message says which count, both numbers, and the path
            of the block in the network.
    """
    checked = _Checked(name, block_of(name))
    probes = [replace(network, block=name) for network in networks] or list(_probes(name))
    for network in probes:
        for output_stride in {
            network.facts.output_strides[0],
            network.facts.output_strides[-1],
        }:
            _check_blocks(checked, network, output_stride)
        with torch.device("meta"):
            image = torch.empty(1, network.channels, *_SIZE)
        built, _ = _measured(build(network, device="meta"), image)
        counted = cost(network, image_size=_SIZE)
        _compare(name, f"the whole of {network.name}", counted, built)
    _check_values(name, probes[0])


class _Kind(NamedTuple):
    """Describe a block by everything it is given, so that equal ones are checked only once."""

    shape: Shape
    position: Position


class _Checked:
    """Delegate to a block, remember what it makes, and name the function that raises."""

    def __init__(self, name: str, block: Block) -> None:
        self.name, self._block = name, block
        self.made: dict[nn.Module, _Kind] = {}
        self.seen: set[_Kind] = set()

    def make_module(
        self, shape: Shape, position: Position, shortcut: nn.Module | None
    ) -> nn.Module:
        make = self._block.make_module
        module = self._called("make_module", lambda: make(shape, position, shortcut))
        if not isinstance(module, nn.Module):
            raise ArchitectureError(
                "block",
                f"{self.name}: make_module returns a {type(module).__name__}, not a torch "
                "module",
            )
        self.made[module] = _Kind(shape, position)
        return module

    def count_layers(
        self, tally: Tally, shape: Shape, position: Position, *, size: Size, times: Count = 1
    ) -> None:
        count = self._block.count_layers
        self._called(
            "count_layers", lambda: count(tally, shape, position, size=size, times=times)
        )

    def count_paths(self, shape: Shape, position: Position) -> Paths:
        paths = self._called("count_paths", lambda: self._block.count_paths(shape, position))
        numbers = [*paths, *paths.values()] if isinstance(paths, dict) else [0]
        if not numbers or not all(isinstance(n, int) and n >= 1 for n in numbers):
            raise ArchitectureError(
                "block",
                f"{self.name}: count_paths returns {paths!r}; return a dict from receptive "
                "fields to numbers of paths, both whole and from 1 up",
            )
        return paths

    def _called(self, function: str, call: Callable[[], _Result]) -> _Result:
        try:
            return call()
        except Exception as error:  # user code may raise anything
            reason = f"{type(error).__name__}: {error}"
            raise ArchitectureError(
                "block", f"{self.name}: {function} raises {reason}; see res2net.blocks.base"
            ) from error


def _probes(block: str) -> Iterator[Architecture]:
    """Make small networks of every skeleton that together use every dimension of a block."""
    for skeleton, facts in SKELETONS.items():
        stages = len(facts.stages)
        small = Architecture(
            skeleton=skeleton,
            depth=(2,) * stages,
            planes=8,
            width=3,
            scale=3,
            first_block="pool",
            classes=3,
            block=block,
        )
        yield small
        scales = (1, 2, 3, 4)[:stages]
        yield replace(small, scale=scales, cardinality=2, se=True, first_block="all")


def _check_blocks(checked: _Checked, network: Architecture, output_stride: int) -> None:
    """Check each kind of block of a network by itself."""
    layout = lay_out(network, output_stride=output_stride)._replace(block=checked)
    checked.made.clear()
    with torch.device("meta"):
        whole = nn.ModuleDict(make_modules(network.facts, layout))
    made = dict(checked.made)  # without the blocks that the checks make
    for path, module in whole.named_modules():
        if module not in made or made[module] in checked.seen:
            continue
        kind = made[module]
        checked.seen.add(kind)
        _check_alone(checked, kind, f"{path} of {network.name}")
        _check_grid(checked, kind, f"{path} of {network.name}")
        checked.count_paths(kind.shape, kind.position._replace(dilation=1))


def _check_alone(checked: _Checked, kind: _Kind, where: str) -> None:
    shape, position = kind
    after = strided(_SIZE, position.stride)
    with torch.device("meta"):
        module = checked.make_module(shape, position, None)
        x = torch.empty(1, position.channels, *_SIZE)
        shortcut = torch.empty(1, position.out, *after)
    try:
        built, output = _measured(module, x, shortcut)
        found = tuple(output.shape)
    except Exception as error:  # user code may raise anything
        reason = f"{type(error).__name__}: {error}"
        raise ArchitectureError(
            "block", f"{checked.name}: {where}: its forward(x, shortcut) raises {reason}"
        ) from error
    if found != tuple(shortcut.shape):
        raise ArchitectureError(
            "block",
            f"{checked.name}: {where} puts out {found} for an input of {tuple(x.shape)}; "
            f"{tuple(shortcut.shape)} is what {position} needs",
        )
    tally = Tally()
    checked.count_layers(tally, shape, position, size=_SIZE)
    _compare(checked.name, where, _cost_of(tally), built)


def _check_grid(checked: _Checked, kind: _Kind, where: str) -> None:
    """Check that an array counts like its elements, and `times` blocks like that many."""
    values = [*itertools.product((1, 2), (0, 3))]
    widths: IntArray = np.array([int(kind.shape.width) * factor for factor, _ in values])
    times: IntArray = np.array([number for _, number in values])
    grid = Tally()
    shape = kind.shape._replace(
        width=widths,
        scale=np.full_like(widths, kind.shape.scale),
        cardinality=np.full_like(widths, kind.shape.cardinality),
        se=np.full_like(widths, kind.shape.se),
    )
    checked.count_layers(grid, shape, kind.position, size=_SIZE, times=times)
    totals = (grid.params, grid.macs, grid.activations)
    grids = [np.broadcast_to(np.asarray(total), widths.shape) for total in totals]
    for index, (width, number) in enumerate(zip(widths, times, strict=True)):
        one = Tally()
        shape = kind.shape._replace(width=int(width))
        checked.count_layers(one, shape, kind.position, size=_SIZE)
        many = Cost(*(int(number) * count for count in _cost_of(one)))
        counted = Cost(*(int(total[index]) for total in grids))
        what = f"an array for {where}, of width {width} and {number} times,"
        _compare(checked.name, what, counted, many, as_what="one by one")


def _check_values(name: str, network: Architecture) -> None:
    """Run one network, which reveals tensors that were never initialised."""
    module = build(network).eval()
    with torch.no_grad():
        logits = module(torch.ones(1, network.channels, *_SIZE))
    if not logits.isfinite().all():
        raise ArchitectureError(
            "block", f"{name}: {network.name} puts out numbers that are not finite"
        )


def _measured(module: nn.Module, *inputs: torch.Tensor) -> tuple[Cost, Any]:
    """Run a module; return its parameters, multiply-adds and activations, and its output."""
    outputs: list[int] = []

    def noting(flops: Callable[..., int]) -> Callable[..., int]:
        def count(*args: Any, out_shape: Any, **kwargs: Any) -> int:
            outputs.append(math.prod(out_shape))
            return flops(*args, out_val=out_shape, **kwargs)

        return count

    counter = FlopCounterMode(
        display=False,
        custom_mapping={
            operation: noting(flops)
            for operation, flops in flop_registry.items()
            if "convolution" in str(operation) or str(operation) in _LINEAR
        },
    )
    with counter, torch.no_grad():
        output = module.eval()(*inputs)
    params = sum(parameter.numel() for parameter in module.parameters())
    return Cost(params, counter.get_total_flops() // 2, sum(outputs)), output


def _cost_of(tally: Tally) -> Cost:
    return Cost(int(tally.params), int(tally.macs), int(tally.activations))


def _compare(
    name: str, where: str, counted: Cost, built: Cost, *, as_what: str = "built"
) -> None:
    for field in Cost._fields:
        one, other = getattr(counted, field), getattr(built, field)
        if one != other:
            raise ArchitectureError(
                "block",
                f"{name}: {where} has {field} {one:,} counted and {other:,} {as_what}; "
                "correct its count_layers",
            )
