"""Measures the inference time of networks, one after another in this process."""

import os
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import torch

from res2net import Architecture
from res2net.timing import device_in_words, time_batches

BATCHES = (1, 128)  # images at once
_SECONDS = 0.2  # how long each batch is repeated, about
_MS = 1000


class Latencies(NamedTuple):
    """The measured latencies.

    Attributes:
        columns: for each network: median and quartiles for each batch, in milliseconds.
        about: how it was measured, and what else this machine did meanwhile.
    """

    columns: dict[Architecture, dict[str, float]]
    about: dict[str, Any]


def measure_latencies(
    networks: Iterable[Architecture],
    *,
    image_size: int,
    threads: int,
    told: Callable[[int], object],
) -> Latencies:
    """Time forward passes of networks on this CPU, in float32, as `res2net.build` makes them.

    Args:
        networks: networks to time.
        image_size: side of the images in pixels.
        threads: threads of the CPU.
        told: called with the number of timed networks, after each.
    """
    torch.set_num_threads(threads)
    before = os.getloadavg()[0]
    columns = {}
    for count, network in enumerate(networks, 1):
        timing = time_batches(
            network,
            BATCHES,
            device="cpu",
            image_size=image_size,
            seconds=_SECONDS,
            training=False,
        )
        columns[network] = {
            f"latency_{row.batch}_{name}_ms": round(_MS * getattr(row, name), 4)
            for row in timing.rows
            for name in ("median", "low", "high")
        }
        told(count)
    about = {
        "device": device_in_words(torch.device("cpu")),
        "image_size": image_size,
        "batches": list(BATCHES),
        "columns": "median, lower and upper quartile of forward passes, in milliseconds",
        "load_before": round(before, 2),
        "load_after": round(os.getloadavg()[0], 2),
    }
    return Latencies(columns, about)
