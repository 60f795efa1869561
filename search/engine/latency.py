"""Measures inference of a trial's untrained network on the trial's device.

Inference runs as after the training: in evaluation mode, with separate layers, in the recipe's
precision, eagerly. The other measurements, the scores, come from `search.engine.zero_cost`.
None of this changes the trial.
"""

import contextlib
import itertools
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import nn

from res2net import Architecture
from res2net.timing import Timed, timed, wait_for
from search.engine.bench import Bench, device_name
from search.engine.execution import autocast
from search.engine.meter import Meter
from search.engine.zero_cost import scores_of
from search.images.augmentation import dtype_of
from search.schema.seeds import seed_of
from search.study.events import Measured, Started

_ONE, _MANY = 1, 128  # images at once
_WARM, _SECONDS = 0.1, 0.4  # about how many seconds each batch runs, before and while timed
_ENERGY_SECONDS = 2.0  # the GPU updates its energy counter some ten times a second
_ALONE = 0.5  # cores that others may keep busy before a CPU counts as shared
_MS = 1000
_IDLE = (3, 4)  # columns of /proc/stat: idle, and waiting for a disk
_GUEST = 8  # columns from here on are already part of user


class NotToldError(Exception):
    """This machine does not provide a number to be measured."""


def measured_of(started: Started, bench: Bench, known: Iterable[Measured] = ()) -> Measured:
    """The measurements that a study wants of a trial's network: from `known`, or made now.

    Scores depend on the trial's seed, so they can only be known for the trial itself.

    Args:
        started: the trial.
        bench: where it will train; gives what is wanted.
        known: earlier measurements of the same network.

    Raises:
        NotToldError: the machine does not provide a wanted number.
    """
    place = {
        "device": device_name(bench.device),
        "threads": started.threads,
        "precision": bench.recipe.precision,
        "resolution": bench.resolution,
    }
    here = [one for one in known if one.place == place and {*bench.measured} <= {*one.values}]
    for one in here:
        if one.trial == started.trial and {*bench.scores} <= {*one.seconds}:
            return one
    found = next((_timed_of(one, started, bench) for one in here if bench.measured), None)
    found = found or _anew(started, bench, place)
    scores = scores_of(started, bench)
    return replace(found, values=found.values | scores.values, seconds=scores.seconds)


def _timed_of(one: Measured, started: Started, bench: Bench) -> Measured:
    """A measurement of the network for another trial, without the scores of that seed."""
    values = {name: one.values[name] for name in bench.measured}
    return replace(one, trial=started.trial, values=values, seconds={})


def _anew(started: Started, bench: Bench, place: dict[str, Any]) -> Measured:
    others = _Others()
    rows = _measure(started.network(), bench, {*bench.measured}) if bench.measured else {}
    busy = others.cores() if bench.measured else None
    return Measured(
        trial=started.trial,
        values={name: row.median for name, row in rows.items()},
        low={name: row.low for name, row in rows.items() if row.passes},
        high={name: row.high for name, row in rows.items() if row.passes},
        passes={name: row.passes for name, row in rows.items() if row.passes},
        place=place,
        alone=is_alone(bench, busy) if bench.measured else None,
        others=busy,
        first=started.trial,
        time=time.time(),
    )


def is_alone(bench: Bench, others: float | None) -> bool | None:
    """Whether a network has the device to itself; None where that is unknown.

    Args:
        bench: where it runs.
        others: CPU cores that other processes keep busy, None where that is not known.
    """
    if bench.device.type == "cuda":
        return bench.share >= 1
    return None if others is None else others < _ALONE


class _Row(NamedTuple):
    """A measured number: the median and the quartiles over `passes`; 0 for no spread."""

    median: float
    low: float = 0.0
    high: float = 0.0
    passes: int = 0


def _measure(architecture: Architecture, bench: Bench, wanted: set[str]) -> Mapping[str, _Row]:
    """Every wanted number, by name."""
    network = bench.task.network(architecture, seed=seed_of(0, "weights"))
    dtype = dtype_of(bench.recipe.precision)
    network = network.to(dtype).to(memory_format=torch.channels_last).eval()
    found: dict[str, _Row] = {}
    if "latency" in wanted:
        found["latency"] = _latency(_timed(network, architecture, bench, batch=_ONE))
    if wanted - {"latency"}:
        found |= _of_many(network, architecture, bench, wanted)
    return {name: found[name] for name in bench.measured}


def _of_many(
    network: nn.Module, architecture: Architecture, bench: Bench, wanted: set[str]
) -> Iterator[tuple[str, _Row]]:
    many = _timed(network, architecture, bench, batch=_MANY)
    yield "latency_128", _latency(many)
    rates = (_MANY / many.median, _MANY / many.high, _MANY / many.low)
    yield "throughput", _Row(*rates, passes=many.runs)
    if "inference_memory" in wanted:
        if many.memory is None:
            raise NotToldError("inference_memory: this system does not tell a process's")
        held = itertools.chain(network.parameters(), network.buffers())
        yield "inference_memory", _Row(many.memory + sum(one.nbytes for one in held))
    if "inference_energy" in wanted:
        yield (
            "inference_energy",
            _Row(_energy(_pass_of(network, architecture, bench, _MANY), bench)),
        )


def _latency(row: Timed) -> _Row:
    return _Row(_MS * row.median, _MS * row.low, _MS * row.high, row.runs)


def _timed(
    network: nn.Module, architecture: Architecture, bench: Bench, *, batch: int
) -> Timed:
    run = _pass_of(network, architecture, bench, batch)
    _repeat(run, bench, _WARM)
    return timed("inference", run, batch, bench.device, _SECONDS)


def _pass_of(
    network: nn.Module, architecture: Architecture, bench: Bench, batch: int
) -> Callable[[], None]:
    """A function that runs a batch of random images."""
    shape = (batch, architecture.channels, *bench.image_size)
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(shape, generator=generator).to(bench.device)
    images = images.to(dtype_of(bench.recipe.precision)).to(memory_format=torch.channels_last)

    def run() -> None:
        with torch.inference_mode(), autocast(bench.device, bench.recipe.precision):
            network(images)

    return run


def _energy(run: Callable[[], None], bench: Bench) -> float:
    """Joules per image."""
    meter = Meter(bench.device, alone=bench.share >= 1)
    passes = _repeat(run, bench, _ENERGY_SECONDS)
    joules = meter.read().energy
    if joules is None:
        raise NotToldError(f"inference_energy: {device_name(bench.device)} does not tell it")
    return joules / (passes * _MANY)


def _repeat(run: Callable[[], None], bench: Bench, seconds: float) -> int:
    """Run for so many seconds, at least once; return how often."""
    end, passes = time.perf_counter() + seconds, 0
    while not passes or time.perf_counter() < end:
        run()
        wait_for(bench.device)
        passes += 1
    return passes


class _Others:
    """The CPU use of other processes on this machine, from its creation on."""

    def __init__(self) -> None:
        self._begin, self._busy, self._own = time.perf_counter(), _busy(), time.process_time()

    def cores(self) -> float | None:
        """CPU cores that other processes kept busy; None if the system does not report it."""
        busy, own = _busy(), time.process_time()
        if busy is None or self._busy is None:
            return None
        seconds = busy - self._busy - (own - self._own)
        return round(max(0.0, seconds / (time.perf_counter() - self._begin)), 2)


def _busy() -> float | None:
    """Seconds for which all CPUs of this machine together were busy; only Linux counts them."""
    with contextlib.suppress(OSError, ValueError):
        line = Path("/proc/stat").read_text(encoding="ascii").partition("\n")[0]
        counts = [int(each) for each in line.split()[1:]][:_GUEST]
        ticks = sum(count for place, count in enumerate(counts) if place not in _IDLE)
        return ticks / os.sysconf("SC_CLK_TCK")
    return None
