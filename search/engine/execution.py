"""Execution modes of the training pass: eager, CUDA graphs, or compiled; joined layers or not.

All compute the same function; which is fastest depends on the device and the length of the
training.
"""

import inspect
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, cast

import torch
from torch import Tensor, nn

from res2net import joined
from search.schema.optimizers import OPTIMIZERS
from search.schema.training import Execution, PlannedTraining, Precision
from search.study.compilers import compiler_for
from search.tasks.base import PreparationError
from search.tasks.memory import free_memory, is_out_of_memory

Forward = Callable[[Tensor], Tensor]

# Capturing graphs takes about a second, compiling up to a minute; faster steps must make up
# for it. Numbers are steps of the whole training.
_WORTH_GRAPHS, _WORTH_COMPILING = 200, 30_000


class Prepared(NamedTuple):
    """A training pass that is ready, and the seconds it took to prepare."""

    forward: Forward
    execution: Execution
    seconds: float


def chosen(asked: Execution, *, device: torch.device, steps: int) -> Execution:
    """The execution mode for a training of so many steps; graphs need CUDA."""
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
    """Join a network's parallel layers, in place, where that is faster without other results.

    On a CPU a step of a small network takes 0.87 of the time, one of Res2Net-50 about as long
    (benchmarks/results/joining_cpu_202611.md); on a GPU it was not measured. An optimiser that
    uses whole tensors, such as LARS, would behave differently with joined ones.
    """
    pays = device.type == "cpu"
    if pays and OPTIMIZERS[recipe.optimizer].elementwise:
        return joined(network, inplace=True)
    return network


def prepare(
    network: nn.Module, sample: Tensor | None, *, execution: Execution, precision: Precision
) -> Prepared:
    """Make the training pass of a network ready for batches shaped like `sample`.

    Args:
        network: network in training mode, on its device; its state is unchanged afterwards.
        sample: an input as the network will get it, normalised images (N, C, H, W) in
            channels_last; without one the network is compiled when it is first called.
        execution: not auto (see `chosen`).
        precision: precision of the pass.

    Raises:
        PreparationError: the network cannot be captured or compiled.
    """
    start = time.perf_counter()
    if execution == "eager":
        return Prepared(network, execution, 0.0)
    if sample is None:
        return Prepared(_compiled(network), execution, 0.0)
    before = {name: value.clone() for name, value in network.named_buffers()}
    try:
        with autocast(sample.device, precision, execution):
            forward = _made(network, sample, execution)
            if execution == "compile":  # it compiles when first called
                trained = [each for each in network.parameters() if each.requires_grad]
                torch.autograd.grad(forward(sample).float().sum(), trained, allow_unused=True)
    except (RuntimeError, AssertionError) as error:  # torch asserts what it cannot capture
        if is_out_of_memory(error) or not _responds(sample.device):
            raise
        how = "captured as a CUDA graph" if execution == "graphs" else "compiled"
        raise PreparationError(
            f"the network cannot be {how} ({_first(error)}); write training.execution: eager"
        ) from error
    finally:
        _restore(network, before)
    if sample.device.type == "cuda":
        torch.cuda.synchronize(sample.device)
    return Prepared(forward, execution, time.perf_counter() - start)


@torch.no_grad()
def _restore(network: nn.Module, before: Mapping[str, Tensor]) -> None:
    """Undo what a trial run has done to buffers, such as the norms' statistics.

    A buffer that a block has made or resized meanwhile stays: it depends on the input's size.
    """
    for name, value in network.named_buffers():
        old = before.get(name)
        if old is not None and old.shape == value.shape:
            value.copy_(old)


def _responds(device: torch.device) -> bool:
    """Whether a device still computes; after most of its errors a GPU does not.

    Torch before 2.13 cannot free memory any more once a capture has failed.
    """
    try:
        free_memory()
        return int(torch.ones(1, device=device).sum().item()) == 1
    except RuntimeError:
        return False


def _first(error: BaseException) -> str:
    """The first error of several that followed from it, as when a capture is ended by one."""
    while error.__context__ is not None:
        error = error.__context__
    return " ".join(f"{type(error).__name__}: {error}".split())[:200]


def _made(network: nn.Module, sample: Tensor, execution: Execution) -> Forward:
    if execution == "compile":
        return _compiled(network)
    # Gradients of captured passes come from their stream; autograd waits for it.
    torch.autograd.graph.set_warn_on_accumulate_grad_stream_mismatch(False)
    # Parameters of somebody's block may be unused. A loader may still be pinning images of an
    # earlier pass in its own thread, which must not end the capture.
    how: dict[str, Any] = {"allow_unused_input": True}
    if "capture_error_mode" in inspect.signature(torch.cuda.make_graphed_callables).parameters:
        how["capture_error_mode"] = "thread_local"  # earlier versions of torch lack it
    return cast("Forward", torch.cuda.make_graphed_callables(network, (sample,), **how))


def _compiled(network: nn.Module) -> Forward:
    torch.compiler.reset()  # compiled code of earlier trials counts against a limit
    return cast("Forward", torch.compile(network, dynamic=False))


def autocast(
    device: torch.device, precision: Precision, execution: Execution = "eager"
) -> torch.autocast:
    """Autocast to bf16 if asked for; a graph must not cache casts between its passes."""
    return torch.autocast(
        device.type,
        torch.bfloat16,
        enabled=precision == "bf16",
        cache_enabled=execution == "eager",
    )
