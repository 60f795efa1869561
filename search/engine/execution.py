"""Execution modes of the training pass: eager, CUDA graphs, or compiled; layers joined or not.

The mathematics is the same; what is quicker depends on the device and the length of the
training.
"""

import time
from collections.abc import Callable
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn

from res2net import joined
from search.schema.optimizers import OPTIMIZERS
from search.schema.training import Execution, PlannedTraining, Precision
from search.study.compilers import compiler_for

Forward = Callable[[Tensor], Tensor]

# Capturing graphs takes about a second, compiling up to a minute: what a step gains must pay
# for it. Steps of the whole training.
_WORTH_GRAPHS, _WORTH_COMPILING = 200, 30_000


class Prepared(NamedTuple):
    """A training pass that is ready, and what making it ready took in seconds."""

    forward: Forward
    execution: Execution
    seconds: float


def chosen(asked: Execution, *, device: torch.device, steps: int) -> Execution:
    """The execution for a training of so many steps; graphs exist on CUDA only."""
    if asked != "auto":
        return asked
    if device.type != "cuda" or steps < _WORTH_GRAPHS:
        return "eager"
    if steps >= _WORTH_COMPILING and compiler_for(gpu=True).found:
        return "compile"
    return "graphs"


def with_joined_layers(
    network: nn.Module, recipe: PlannedTraining, device: torch.device
) -> nn.Module:
    """Join the layers that run side by side, where it is measured to pay and changes nothing.

    On a CPU a step of a small network takes 0.87 of the time, one of Res2Net-50 about as long
    (benchmarks/results/joining_cpu_202611.md); on a GPU it was not measured. An optimiser that
    looks at whole tensors, such as LARS, would do something else with joined ones.
    """
    pays = device.type == "cpu"
    return joined(network) if pays and OPTIMIZERS[recipe.optimizer].elementwise else network


def prepare(
    network: nn.Module, sample: Tensor | None, *, execution: Execution, precision: Precision
) -> Prepared:
    """Make the training pass of a network ready for batches shaped like `sample`.

    Args:
        network: in training mode, on its device; it comes out as it went in.
        sample: an input such as the network will be given, normalised images (N, C, H, W)
            in channels_last; without one it is compiled when it is first called.
        execution: not auto (see `chosen`).
        precision: of the pass.
    """
    start = time.perf_counter()
    if execution == "eager":
        return Prepared(network, execution, 0.0)
    if sample is None:
        return Prepared(_compiled(network), execution, 0.0)
    before = {name: value.clone() for name, value in network.named_buffers()}
    with autocast(sample.device, precision, execution):
        forward = _made(network, sample, execution)
        if execution == "compile":  # it compiles when it is first called
            torch.autograd.grad(forward(sample).float().sum(), [*network.parameters()])
    with torch.no_grad():  # trying it out has moved the statistics of the norms
        for name, value in network.named_buffers():
            value.copy_(before[name])
    if sample.device.type == "cuda":
        torch.cuda.synchronize(sample.device)
    return Prepared(forward, execution, time.perf_counter() - start)


def _made(network: nn.Module, sample: Tensor, execution: Execution) -> Forward:
    if execution == "compile":
        return _compiled(network)
    # Gradients of what was captured come from its stream; autograd waits for that one.
    torch.autograd.graph.set_warn_on_accumulate_grad_stream_mismatch(False)
    return cast("Forward", torch.cuda.make_graphed_callables(network, (sample,)))


def _compiled(network: nn.Module) -> Forward:
    torch.compiler.reset()  # what it keeps of the trials before counts against a limit
    return cast("Forward", torch.compile(network, dynamic=False))


def autocast(
    device: torch.device, precision: Precision, execution: Execution = "eager"
) -> torch.autocast:
    """bf16 where it is asked for; graphs must not keep casts from one pass to the next."""
    return torch.autocast(
        device.type,
        torch.bfloat16,
        enabled=precision == "bf16",
        cache_enabled=execution == "eager",
    )
