"""What a trial does where a GPU's memory ends, and whether its energy is told.

    python -m benchmarks.limits {memory,energy} [--device cuda] [--data data] [--batch 512]
                                [--images 20000] [--network NAME]

`memory`: a trial is trained, and again with 0.6 of the memory that it used: its batches must
then be split into smaller pieces, and it must finish successfully. `energy`: joules per epoch,
as counted by NVML. A CPU has neither: there the trial runs, and the rest is skipped.
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import torch

from benchmarks.machine import machine
from benchmarks.noise import name_of
from search.api import train_network
from search.study.events import Ended, Status, Taken
from search.tasks.memory import free_memory

_LESS = 0.6  # of the memory that the trial uses when all is available
_EPOCHS = 2


def main(argv: Sequence[str]) -> int:
    """Run the trials; return 0 if they behave as they should."""
    arguments = _parser().parse_args(argv)
    print(machine(torch.device(arguments.device)))
    said = memory(arguments) if arguments.what == "memory" else energy(arguments)
    print(said)
    return 1 if said.startswith("wrong:") else 0


def memory(arguments: argparse.Namespace) -> str:
    """State in words what happened to a batch that does not fit."""
    whole, taken = _trained(arguments)
    peak = taken.peak_memory or 0
    print(f"with all memory: {whole.status}, {taken.parts} piece(s), {peak / 2**20:,.0f} MiB")
    if arguments.device == "cpu":
        return "skipped: needs a GPU"
    total = torch.cuda.get_device_properties(0).total_memory
    free_memory()
    torch.cuda.set_per_process_memory_fraction(_LESS * peak / total)
    less, cut = _trained(arguments)
    said = f"{less.status}, {cut.parts} pieces in {_LESS:g} of {peak / 2**20:,.0f} MiB"
    halved = less.status is Status.OK and cut.parts > taken.parts
    return said if halved else f"wrong: {said}; {less.reason}"


def energy(arguments: argparse.Namespace) -> str:
    """State the joules per epoch in words."""
    ended, taken = _trained(arguments)
    if arguments.device == "cpu":
        return "skipped: needs a GPU"
    if not taken.energy:
        return "wrong: NVML tells no energy of this GPU"
    joules, seconds = taken.energy / ended.epochs, ended.seconds / ended.epochs
    return f"{joules:,.0f} J an epoch, {joules / seconds:,.0f} W"


def _trained(arguments: argparse.Namespace) -> tuple[Ended, Taken]:
    """Train a trial in this process; return its end and the resources used."""
    images, gpu = arguments.images, arguments.device == "cuda"
    data = {"name": name_of(arguments.data), "root": str(arguments.data), "train": images}
    with tempfile.TemporaryDirectory() as folder:
        result = train_network(
            arguments.network,
            data=data | {"validation": max(1, images // 10)},
            epochs=_EPOCHS,
            training={
                "batch_size": arguments.batch,
                "execution": "eager",
                # A CPU only tests that it runs, and may be slow in bf16.
                "precision": "bf16" if gpu else "fp32",
            },
            overrides=[f"resources.gpu={int(gpu)}"],
            out=Path(folder) / "run",
            inline=True,
        )
    ended = result.trials[0].ended
    assert ended is not None, "it ran to its end"
    assert ended.taken is not None, "which says what it took"
    return ended, ended.taken


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    default = "cuda" if torch.cuda.is_available() else "cpu"
    parser.add_argument("what", choices=("memory", "energy"))
    parser.add_argument("--device", choices=("cpu", "cuda"), default=default)
    parser.add_argument("--data", type=Path, default=Path("data"), help="holds the data sets")
    parser.add_argument("--batch", type=int, default=512, metavar="N")
    parser.add_argument("--images", type=int, default=20_000, metavar="N")
    parser.add_argument("--network", default="Res2NeXt-29-6c24w4s", metavar="NAME")
    return parser


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
