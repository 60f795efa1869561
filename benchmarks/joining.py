"""A training step with joined layers beside one with separate layers, in one run.

    python -m benchmarks.joining [--device cuda] [--steps 15]

Both sides are the same network with the same weights (one is `res2net.joined` of the other), in
channels_last, timed in turns. The ratio is the time with separate layers divided by that with
joined ones: above 1, joining pays. Its spread is that of the ratios of single turns
(quartiles).
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from rich.table import Table
from torch import Tensor, nn

from benchmarks.machine import machine, wait
from res2net import build, joined
from res2net.consoles import console_of

_CASES = (  # network, pixels, batch size on a CPU and on a GPU
    ("res2net20_8w4s_16p_100classes", 32, 64, 512),
    ("Res2NeXt-29-6c24w4s", 32, 8, 512),
    ("Res2Net-50-26w-4s", 224, 2, 128),
)


class Row(NamedTuple):
    """One comparison; times in seconds per step."""

    network: str
    precision: str
    separate: float
    joined: float
    ratios: tuple[float, ...]


def main(argv: Sequence[str]) -> int:
    """Compare, and print a table."""
    arguments = _parser().parse_args(argv)
    device = torch.device(arguments.device)
    console = console_of(110)
    console.print(machine(device))
    rows = [
        compare(
            name,
            side,
            gpu if device.type == "cuda" else cpu,
            precision,
            arguments.steps,
            device,
        )
        for name, side, cpu, gpu in _CASES
        for precision in ("bf16", "fp32")
    ]
    console.print(table(rows))
    return 0


def compare(
    name: str, side: int, batch: int, precision: str, steps: int, device: torch.device
) -> Row:
    """Time one network both ways in turns with alternating order, without warm-up."""
    separate = build(name, device=device)
    pair = [
        network.to(memory_format=torch.channels_last).train()
        for network in (separate, joined(separate))
    ]
    images = torch.randn(batch, 3, side, side, device=device)
    images = images.to(memory_format=torch.channels_last)
    turns = []
    for turn in range(steps + 2):
        seconds = [0.0, 0.0]
        for index in (0, 1) if turn % 2 else (1, 0):
            seconds[index] = _timed(lambda i=index: _step(pair[i], images, precision), device)
        turns.append((seconds[0], seconds[1]))
    slow, quick = zip(*turns[2:], strict=True)
    ratios = tuple(one / other for one, other in turns[2:])
    return Row(name, precision, statistics.median(slow), statistics.median(quick), ratios)


def table(rows: Sequence[Row]) -> Table:
    """Tabulate all rows, with the quartiles of the ratio."""
    made = Table(title="a training step, joined layers beside separate ones, channels_last")
    for column in ("network", "precision", "separate", "joined", "ratio"):
        made.add_column(column, justify="left" if column == "network" else "right")
    for row in rows:
        low, _, high = statistics.quantiles(row.ratios, n=4, method="inclusive")
        made.add_row(
            row.network,
            row.precision,
            f"{1e3 * row.separate:.0f} ms",
            f"{1e3 * row.joined:.0f} ms",
            f"{statistics.median(row.ratios):.2f} ({low:.2f}-{high:.2f})",
        )
    return made


def _timed(run: Callable[[], None], device: torch.device) -> float:
    begin = time.perf_counter()
    run()
    wait(device)
    return time.perf_counter() - begin


def _step(network: nn.Module, images: Tensor, precision: str) -> None:
    enabled = precision == "bf16"
    with torch.autocast(images.device.type, torch.bfloat16, enabled=enabled):
        logits = network(images)
    torch.autograd.backward(logits.float().square().mean())
    network.zero_grad(set_to_none=False)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python -m benchmarks.joining", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--steps", type=int, default=15, metavar="N", help="turns of each")
    return parser


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
