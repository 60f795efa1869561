"""Trials of one network side by side: what all together do, in one run.

    python -m benchmarks.packing [--device cuda] [--turns 3] [--batch 128] [--networks NAME ...]
                                 [--execution eager] [--beside N ...]

On a GPU, 1, 2, 4 and 8 trials sharing it are compared with one that has it alone. On a CPU, one
trial with one thread, and two of these, are compared with one trial with two threads. The
processes are those in which `python -m search.run --plan --measure` rehearses: a few training
steps each at the same time, in bf16, on random images. Configurations take turns, each time in
new processes; images/s are those of all trials together, and the ratio is to the first
configuration in the same turn.
"""

import argparse
import itertools
import statistics
import sys
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from rich.table import Table

from benchmarks.machine import machine
from res2net import Architecture, cost, parse
from res2net.consoles import console_of
from search.profiling.estimate import Rehearsal
from search.profiling.rehearsal import RehearsalError, Rehearsals
from search.schema.budget import Budget
from search.schema.data import Data, planned_data
from search.schema.network import Network
from search.schema.search import PlannedSearch
from search.schema.study_plan import PlannedResources, StudyPlan
from search.schema.training import PlannedTraining, Precision

# In ascending order: if one does not fit, those after it do not either.
_ON_GPU = ("res2net29_4w2s_64p_100classes", "Res2NeXt-29-2c8w4s", "Res2NeXt-29-6c24w4s")
_ON_CPU = ("resnet1.2.2_8w_8p_100classes", "res2net20_8w4s_16p_100classes")  # minutes


class Way(NamedTuple):
    """A configuration: number of simultaneous trials, and threads of each."""

    beside: int
    threads: int


class Row(NamedTuple):
    """One network in one configuration, compared with the first; one entry per turn."""

    network: str
    macs: int
    way: Way
    rates: tuple[float, ...]  # images/s of all trials together
    ratios: tuple[float, ...]
    memory: int  # bytes of one trial


def main(argv: Sequence[str]) -> int:
    """Compare, and print a table."""
    arguments = _parser().parse_args(argv)
    gpu = arguments.device == "cuda"
    console = console_of(120)
    console.print(machine(torch.device(arguments.device)))
    networks = [parse(name) for name in arguments.networks or (_ON_GPU if gpu else _ON_CPU)]
    config = plan_of("cifar100", batch=arguments.batch, gpu=gpu)
    training = config.training.model_copy(update={"execution": arguments.execution})
    config = config.model_copy(update={"training": training})
    asked = ways(gpu=gpu, beside=arguments.beside)
    rows = compare(config, networks, asked, turns=arguments.turns)
    console.print(f"training passes: {arguments.execution}")
    console.print(table(rows, turns=arguments.turns, batch=arguments.batch))
    return 0


def ways(*, gpu: bool, beside: Sequence[int] = (1, 2, 4, 8)) -> tuple[Way, ...]:
    """The configurations, the reference first; on a GPU with this many trials at once."""
    if gpu:
        return tuple(Way(beside, 1) for beside in beside)
    return Way(1, 2), Way(1, 1), Way(2, 1)


def plan_of(data: str, *, batch: int, gpu: bool, precision: Precision = "bf16") -> StudyPlan:
    """Plan a study on a data set, of which only the sizes matter here."""
    return StudyPlan(
        study="packing",
        network=Network(depth=(20,), width=(8,)),
        budget=Budget(),
        data=planned_data(Data(name=data, validation=64)),
        training=PlannedTraining(
            epochs=1,
            batch_size=batch,
            crop=4,
            flip=True,
            precision=precision,
            execution="eager",
        ),
        search=PlannedSearch(trials=1, objectives=("val_error",)),
        resources=PlannedResources(gpu=float(gpu), cpu=1),
        candidates=1,
    )


def compare(
    config: StudyPlan, networks: Sequence[Architecture], asked: Sequence[Way], *, turns: int
) -> list[Row]:
    """Run every network in every configuration, in turns with alternating order.

    Args:
        config: provides batch, images and device.
        networks: networks, the cheapest first.
        asked: configurations; ratios are relative to the first.
        turns: number of rehearsals of each network in each configuration.

    Returns:
        One row per network and configuration, unless it failed to fit in some turn.
    """
    taken: dict[tuple[Architecture, Way], list[list[Rehearsal]]] = {}
    for number in range(turns):
        for way in reversed(asked) if number % 2 else asked:
            for network, together in _rehearsed(config, networks, way):
                taken.setdefault((network, way), []).append(together)
    return [
        _row(config, network, way, taken[network, way], taken[network, asked[0]])
        for network, way in itertools.product(networks, asked)
        if len(taken.get((network, way), ())) == turns
        and len(taken.get((network, asked[0]), ())) == turns
    ]


def _rehearsed(
    config: StudyPlan, networks: Sequence[Architecture], way: Way
) -> Iterator[tuple[Architecture, list[Rehearsal]]]:
    resources = config.resources.model_copy(update={"cpu": way.threads})
    config = config.model_copy(update={"resources": resources})
    how = config.training.execution
    with Rehearsals(config, beside=way.beside, execution=how) as stage:
        for network in networks:
            try:
                yield network, stage.rehearse(network)
            except RehearsalError as error:  # usually out of GPU memory
                print(f"{way.beside} side by side, {network.name}: {error}", file=sys.stderr)
                return


def _row(
    config: StudyPlan,
    network: Architecture,
    way: Way,
    turns: Sequence[Sequence[Rehearsal]],
    first: Sequence[Sequence[Rehearsal]],
) -> Row:
    batch = config.training.batch_size

    def rates(each: Sequence[Sequence[Rehearsal]]) -> tuple[float, ...]:
        return tuple(sum(batch / one.step for one in together) for together in each)

    return Row(
        network.name,
        cost(network, image_size=config.data.resolution).macs,
        way,
        rates(turns),
        tuple(a / b for a, b in zip(rates(turns), rates(first), strict=True)),
        max(one.memory for together in turns for one in together),
    )


def table(rows: Sequence[Row], *, turns: int, batch: int) -> Table:
    """Tabulate all rows: medians, and quartiles of the ratio."""
    made = Table(title=f"Training, batches of {batch}, median of {turns} turns; ratio to one")
    columns = ("network", "MACs", "trials", "threads each", "images/s of all")
    for place, column in enumerate((*columns, "ratio (quartiles)", "memory of one")):
        made.add_column(column, justify="right" if place else "left")
    for row in rows:
        low, middle, high = statistics.quantiles(row.ratios, n=4, method="inclusive")
        made.add_row(
            row.network,
            f"{row.macs / 1e6:,.0f} M",
            str(row.way.beside),
            str(row.way.threads),
            f"{statistics.median(row.rates):,.0f}",
            f"{middle:.2f} ({low:.2f}-{high:.2f})",
            f"{row.memory / 2**20:,.0f} MiB",
        )
    return made


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    default = "cuda" if torch.cuda.is_available() else "cpu"
    parser.add_argument("--device", choices=("cpu", "cuda"), default=default)
    parser.add_argument("--turns", type=int, choices=range(2, 101), default=3, metavar="N")
    parser.add_argument("--batch", type=int, default=128, metavar="N")
    parser.add_argument("--execution", choices=("eager", "graphs", "compile"), default="eager")
    parser.add_argument(
        "--beside",
        type=int,
        nargs="+",
        default=(1, 2, 4, 8),
        metavar="N",
        help="on a GPU: trials at once; ratios are over the first",
    )
    parser.add_argument("--networks", nargs="+", metavar="NAME", help="the cheapest first")
    return parser


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
