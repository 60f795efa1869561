"""Our training batches beside those of torchvision and DataLoader, in one run.

    python -m benchmarks.input [--data data] [--device cuda] [--turns 7] [--images 10000]

A turn makes batches on the device: order, random choices, augmentation, normalisation, labels;
ours from all images, theirs from the first `--images`, because they take much longer. All sides
take turns; a ratio is our images per second divided by theirs in the same turn. Ours crops
decoded images in memory. So does torchvision with CIFAR; with image files its time includes
decoding, which ours did once before (that time is printed). tests/search/test_augmentation.py
tests that both make the same images. Without CIFAR-100, noise of the same size is used. Measure
on an idle machine: threads that wait for each other lose most when others take their cores.
"""

import argparse
import functools
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Subset
from torchvision import datasets, transforms
from torchvision.transforms import v2

from benchmarks.machine import machine, wait
from benchmarks.noise import Drawn, name_of
from res2net.consoles import console_of
from search.images.augmentation import Augmentation
from search.images.draws import draw
from search.schema.training import PlannedTraining

_FILES, _SIDE, _AREA = "imagenette-128", 128, (0.08, 1.0)
_MEAN, _STD = (0.507, 0.487, 0.441), (0.267, 0.256, 0.276)  # irrelevant for speed


class Side(NamedTuple):
    """A way to make batches; `turn` makes those of `images` images."""

    name: str
    images: int
    turn: Callable[[], None]


class Row(NamedTuple):
    """Ours compared with one of theirs; images per second by turn."""

    what: str
    theirs: str
    our_rates: tuple[float, ...]
    their_rates: tuple[float, ...]


def main(argv: Sequence[str]) -> int:
    """Compare, and print a table."""
    arguments = _parser().parse_args(argv)
    console = console_of(120)
    console.print(machine(arguments.device, "torchvision", "pillow"))
    rows = cifar(arguments)
    if (arguments.data / _FILES / "train").is_dir():
        rows += image_files(arguments, console)
    console.print(table(rows, batch=arguments.batch))
    return 0


def cifar(arguments: argparse.Namespace) -> list[Row]:
    """Compare on CIFAR-100, or noise of its size, shifted by up to 4 pixels and mirrored."""
    there = name_of(arguments.data) == "cifar100"
    made = functools.partial(datasets.CIFAR100, arguments.data) if there else Drawn
    plain = made()
    recipe = PlannedTraining(epochs=1, batch_size=arguments.batch, crop=4, flip=True)
    ours = our_side(recipe, plain.data, plain.targets, arguments)
    moved = [transforms.RandomCrop(32, padding=4), transforms.RandomHorizontalFlip()]
    pil = [*moved, transforms.ToTensor(), transforms.Normalize(_MEAN, _STD)]
    tensors = [
        v2.ToImage(),
        v2.RandomCrop(32, padding=4),
        v2.RandomHorizontalFlip(),
        v2.ToDtype(torch.float32, scale=True),
        v2.Normalize(_MEAN, _STD),
    ]
    theirs = [
        their_side(
            f"{name}, {workers} workers",
            made(transform=v2.Compose(steps)),
            arguments,
            workers=workers,
        )
        for name, steps in (("PIL", pil), ("v2 uint8", tensors))
        for workers in (0, 2)
    ]
    what = f"{'CIFAR-100' if there else 'noise of its size'}, crop and mirror"
    return compare(what, ours, theirs, turns=arguments.turns)


def image_files(arguments: argparse.Namespace, console: Console) -> list[Row]:
    """Compare on photographs as files, with resized crops of the usual areas and mirroring."""
    folder = arguments.data / _FILES / "train"
    plain = datasets.ImageFolder(folder)
    chosen = np.random.default_rng(0).permutation(len(plain))[: arguments.images]
    start = time.perf_counter()
    images = np.stack([np.asarray(plain[number][0]) for number in chosen])
    seconds = time.perf_counter() - start
    console.print(
        f"{len(images)} files decoded for ours, once, by one process: {seconds:.1f} s"
    )
    recipe = PlannedTraining(
        epochs=1, batch_size=arguments.batch, resized_crop=_AREA, crop=0, flip=True
    )
    ours = our_side(recipe, images, [plain.targets[n] for n in chosen], arguments)
    steps = [
        transforms.RandomResizedCrop(_SIDE, _AREA),
        transforms.RandomHorizontalFlip(),
        transforms.ToTensor(),
        transforms.Normalize(_MEAN, _STD),
    ]
    files = datasets.ImageFolder(folder, transform=transforms.Compose(steps))
    subset = Subset(files, chosen.tolist())
    theirs = [their_side("JPEG files, PIL, 2 workers", subset, arguments, workers=2)]
    what = f"{_FILES}, resized crop and mirror"
    return compare(what, ours, theirs, turns=arguments.turns)


def our_side(
    recipe: PlannedTraining, images: Any, labels: Sequence[int], arguments: argparse.Namespace
) -> Side:
    """Batches from arrays (N, side, side, 3) that are on the device before timing starts."""
    device, side = arguments.device, images.shape[1]
    augmentation = Augmentation(
        recipe,
        side=side,
        resolution=side,
        mean=255 * torch.tensor(_MEAN, device=device),
        std=255 * torch.tensor(_STD, device=device),
    )
    stored = augmentation.stored(torch.from_numpy(images).to(device))
    targets = torch.tensor(labels, device=device)
    generator = torch.Generator(device).manual_seed(0)
    size = recipe.batch_size
    count = len(images) // size * size

    def turn() -> None:
        order = torch.randperm(len(images), device=device, generator=generator)
        draws = draw(recipe, count, side=side, resolution=side, generator=generator)
        for start in range(0, count, size):
            index = order[start : start + size]
            part = draws.part(start, start + size)
            augmentation.batch(stored, index, targets[index], part)
        wait(device)

    return Side("ours", count, turn)


def their_side(
    name: str,
    images: "Dataset[tuple[Tensor, int]]",
    arguments: argparse.Namespace,
    *,
    workers: int,
) -> Side:
    """Batches of a DataLoader with persistent workers; with CUDA from pinned memory."""
    device = arguments.device
    size: int = len(images)  # type: ignore[arg-type]
    count = max(min(size, arguments.images) // arguments.batch, 1) * arguments.batch
    loader = DataLoader(
        Subset(images, range(count)),
        batch_size=arguments.batch,
        shuffle=True,
        num_workers=workers,
        persistent_workers=workers > 0,
        pin_memory=device.type == "cuda",
    )

    def turn() -> None:
        for batch, labels in loader:
            batch.to(device, non_blocking=True)
            labels.to(device, non_blocking=True)
        wait(device)

    return Side(name, count, turn)


def compare(what: str, ours: Side, theirs: Sequence[Side], *, turns: int) -> list[Row]:
    """Measure the rates of all sides in turns, without the first turn of each."""
    sides = (ours, *theirs)
    for side in sides:
        side.turn()
    rates: list[list[float]] = [[] for _ in sides]
    for number in range(turns):
        places = range(len(sides))
        for place in reversed(places) if number % 2 else places:
            begin = time.perf_counter()
            sides[place].turn()
            rates[place].append(sides[place].images / (time.perf_counter() - begin))
    ours_made, *theirs_made = (tuple(each) for each in rates)
    return [
        Row(what, side.name, ours_made, made)
        for side, made in zip(theirs, theirs_made, strict=True)
    ]


def table(rows: Sequence[Row], *, batch: int) -> Table:
    """Tabulate all rows: medians, and quartiles of the ratio."""
    turns = len(rows[0].our_rates)
    made = Table(title=f"Images a second, batches of {batch}, median of {turns} turns")
    columns = ("what", "theirs", "our rate", "their rate", "ratio (quartiles)")
    for place, column in enumerate(columns):
        made.add_column(column, justify="left" if place < 2 else "right")
    for row in rows:
        ratios = [a / b for a, b in zip(row.our_rates, row.their_rates, strict=True)]
        low, middle, high = statistics.quantiles(ratios, n=4, method="inclusive")
        made.add_row(
            row.what,
            row.theirs,
            f"{statistics.median(row.our_rates):,.0f}",
            f"{statistics.median(row.their_rates):,.0f}",
            f"{middle:.1f} ({low:.1f}-{high:.1f})",
        )
    return made


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    default = "cuda" if torch.cuda.is_available() else "cpu"
    parser.add_argument("--data", type=Path, default=Path("data"), help="holds the data sets")
    parser.add_argument("--device", type=torch.device, default=default)
    parser.add_argument("--turns", type=int, choices=range(2, 101), default=7, metavar="N")
    parser.add_argument("--batch", type=int, default=128, metavar="N")
    parser.add_argument(
        "--images", type=int, default=10_000, metavar="N", help="of theirs in a turn"
    )
    return parser


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
