"""Our networks beside timm's of the same architecture and the same weights, in one run.

    python -m benchmarks.block [--device cuda] [--compiled] [--steps 7] [--quick]
                               [--small]

Every row builds both, gives them the same weights, compares their outputs, and times them in
turns. The ratio is timm's time divided by ours (median over turns), so above 1 we are faster;
its spread is that of the ratios of single turns (quartiles).
"""

import argparse
import itertools
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import timm
import torch
from rich.table import Table
from timm.models.res2net import Bottle2neck
from torch import Tensor, nn

from benchmarks.machine import machine, wait
from res2net import Architecture, build, parse
from res2net.consoles import console_of

_FORMATS = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}
_DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}


class Case(NamedTuple):
    """A network, ours and timm's, and the images for timing."""

    name: str
    ours: Callable[[], nn.Module]
    theirs: Callable[[], nn.Module]
    side: int
    batch: int


class Row(NamedTuple):
    """One comparison; times in seconds per pass."""

    case: str
    side: int
    how: str
    what: str
    ours: float
    theirs: float
    ratios: tuple[float, ...]
    difference: float  # largest difference of outputs / timm's largest output


def main(argv: Sequence[str]) -> int:
    """Compare, and print a table row by row as it grows."""
    arguments = _parser().parse_args(argv)
    device = torch.device(arguments.device)
    console = console_of(120)
    console.print(machine(device, "timm"))
    rows = []
    for case in cases(gpu=device.type == "cuda", small=arguments.small):
        for row in compare(case, arguments, device):
            rows.append(row)
            console.print(" ".join(_cells(row)))
    console.print(table(rows))
    return 0


def cases(*, gpu: bool, small: bool = False) -> Iterator[Case]:
    """The paper's two main networks; timm has only blocks of the CIFAR one, stacked here.

    Args:
        gpu: whether batches are large enough to fill a GPU.
        small: use one network of few channels instead, to test that everything runs.
    """
    if small:
        few = Architecture(depth=(1, 1, 1), planes=4, width=4, scale=3, first_block="pool")
        yield Case("a small one", lambda: build(few), lambda: stacked(few), 32, 16)
        return
    res2net50 = parse("Res2Net-50-26w-4s")
    # "pool": timm's block has no other way to open a stage.
    cifar = Architecture(depth=29, width=24, scale=4, cardinality=6, first_block="pool")
    for side, batch in ((224, 256 if gpu else 8), (32, 1024 if gpu else 64)):
        yield Case(
            "Res2Net-50-26w-4s",
            lambda: build(res2net50),
            lambda: timm.create_model("res2net50_26w_4s"),
            side,
            batch,
        )
    yield Case(
        "Res2NeXt-29-6c24w4s",
        lambda: build(cifar),
        lambda: stacked(cifar),
        32,
        512 if gpu else 32,
    )


def stacked(a: Architecture) -> nn.Sequential:
    """Build a CIFAR network of timm's blocks, with the names of the published weights."""
    network = nn.Sequential()
    network.add_module("conv1", nn.Conv2d(3, a.planes, 3, padding=1, bias=False))
    network.add_module("bn1", nn.BatchNorm2d(a.planes))
    network.add_module("relu", nn.ReLU(inplace=True))
    channels = a.planes
    for stage, count in enumerate(a.blocks):
        planes, stride = a.planes * 2**stage, 1 if stage == 0 else 2
        blocks = []
        for index in range(count):
            shortcut = nn.Sequential(
                nn.Conv2d(channels, 4 * planes, 1, stride, bias=False),
                nn.BatchNorm2d(4 * planes),
            )
            block = Bottle2neck(
                channels,
                planes,
                stride if index == 0 else 1,
                shortcut if index == 0 else None,
                cardinality=a.cardinalities[0],
                base_width=a.widths[0] * 64 // a.planes,  # timm's is relative to 64 planes
                scale=a.scales[0],
                norm_layer=nn.BatchNorm2d,
            )
            blocks.append(block)
            channels = 4 * planes
        network.add_module(f"layer{stage + 1}", nn.Sequential(*blocks))
    network.add_module("avgpool", nn.AdaptiveAvgPool2d(1))
    network.add_module("flat", nn.Flatten())
    network.add_module("fc", nn.Linear(channels, a.classes))
    return network


def compare(case: Case, arguments: argparse.Namespace, device: torch.device) -> Iterator[Row]:
    """Compare one case in every precision and memory format."""
    ways = itertools.product(_DTYPES, _FORMATS)
    if arguments.quick:
        ways = iter([("bf16", "channels_last")])
    for dtype, form in ways:
        theirs, ours = case.theirs(), case.ours()
        ours.load_state_dict(theirs.state_dict(), strict=True)
        images = torch.randn(case.batch, 3, case.side, case.side, device=device)
        images = images.to(memory_format=_FORMATS[form])
        pair = [m.to(device, memory_format=_FORMATS[form]) for m in (ours, theirs)]
        if arguments.compiled:
            torch.compiler.reset()
            pair = [torch.compile(module) for module in pair]
        difference = _difference(pair, images, _DTYPES[dtype])
        how = f"{dtype} {form} {'compiled' if arguments.compiled else 'eager'}"
        for what, step in (("forward", _forward), ("forward+backward", _both)):
            turns = _turns(pair, lambda m: step(m, images, _DTYPES[dtype]), arguments.steps)  # noqa: B023 - called at once
            yield _row(case, how, what, turns, difference)


def _row(
    case: Case, how: str, what: str, turns: Sequence[tuple[float, float]], difference: float
) -> Row:
    ours, theirs = zip(*turns, strict=True)
    return Row(
        case.name,
        case.side,
        how,
        what,
        statistics.median(ours),
        statistics.median(theirs),
        tuple(slow / quick for quick, slow in turns),
        difference,
    )


def _turns(
    pair: Sequence[nn.Module], step: Callable[[nn.Module], None], count: int
) -> list[tuple[float, float]]:
    """Time ours and theirs in turns with alternating order, without warm-up, in seconds."""
    for module in pair:
        step(module)
    turns = []
    for turn in range(count):
        seconds = [0.0, 0.0]
        for index in (0, 1) if turn % 2 else (1, 0):
            begin = time.perf_counter()
            step(pair[index])
            seconds[index] = time.perf_counter() - begin
        turns.append((seconds[0], seconds[1]))
    return turns


def _forward(module: nn.Module, images: Tensor, dtype: torch.dtype) -> None:
    with torch.no_grad(), _autocast(images.device, dtype):
        module(images)
    wait(images.device)


def _both(module: nn.Module, images: Tensor, dtype: torch.dtype) -> None:
    with _autocast(images.device, dtype):
        logits = module(images)
    torch.autograd.backward(logits.float().square().mean())
    module.zero_grad(set_to_none=True)
    wait(images.device)


def _difference(pair: Sequence[nn.Module], images: Tensor, dtype: torch.dtype) -> float:
    """Largest difference of outputs in training mode, divided by timm's largest output."""
    with torch.no_grad(), _autocast(images.device, dtype):
        ours, theirs = (module(images).float() for module in pair)
    return float((ours - theirs).abs().max() / theirs.abs().max())


def _autocast(device: torch.device, dtype: torch.dtype) -> torch.autocast:
    enabled = dtype != torch.float32
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=enabled)


def table(rows: Sequence[Row]) -> Table:
    """Tabulate all rows, with the quartiles of the ratio."""
    made = Table(title="timm's time over ours: above 1 we are faster")
    for column in ("network", "px", "how", "pass", "ours", "timm's", "ratio", "difference"):
        made.add_column(column, justify="left" if column in ("network", "how") else "right")
    for row in rows:
        made.add_row(*_cells(row))
    return made


def _cells(row: Row) -> tuple[str, ...]:
    low, _, high = statistics.quantiles(row.ratios, n=4, method="inclusive")
    return (
        row.case,
        str(row.side),
        row.how,
        row.what,
        f"{1e3 * row.ours:.0f} ms",
        f"{1e3 * row.theirs:.0f} ms",
        f"{statistics.median(row.ratios):.2f} ({low:.2f}-{high:.2f})",
        f"{row.difference:.0e}",
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--compiled", action="store_true", help="both through torch.compile")
    parser.add_argument(
        "--steps",
        type=int,
        choices=range(2, 101),
        default=7,
        metavar="N",
        help="turns of each, 2 to 100",
    )
    parser.add_argument("--quick", action="store_true", help="bf16 channels_last only")
    parser.add_argument("--small", action="store_true", help="one small network only")
    return parser


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
