"""The command `python -m search.table`: its options, and what it prints."""

import argparse
import functools
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from res2net import Architecture
from res2net.exit_codes import ExitCode, exit_code_help
from res2net.file_names import path_argument, path_of, place_argument
from search.replay.blackbox import write_blackbox
from search.replay.exporting import finished_run, require_own, write_table
from search.replay.results import Source
from search.replay.sources import source_of
from search.run_command import guarded
from search.schema.execution import SHIPPED
from search.schema.study_plan import StudyPlan
from search.schema.units import duration
from search.schema.wording import how_many
from search.schema.yaml import ConfigError
from search.study.processor import is_same_kind, lacks_bf16, processor, processor_kind

_EVERY = 100  # networks timed between two lines of progress


def main(argv: Sequence[str]) -> int:
    """Run the command line; the exit code."""
    return guarded(
        lambda console: _run(_parser().parse_args(argv), console),
        stopped="no table is written, and what was trained again is not kept; the same "
        "command starts over",
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python -m search.table",
        description="Write the results of a finished run as a table for replays, or train "
        "part of a table again and compare.",
        epilog=exit_code_help(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "place",
        type=place_argument,
        nargs="?",
        metavar="RUN",
        help=f"folder of a run or, with --check, of a table; {SHIPPED} by default",
    )
    parser.add_argument(
        "--out", type=path_argument, metavar="FOLDER", help="write the table here"
    )
    parser.add_argument(
        "--no-latency", action="store_true", help="do not time the networks on this machine"
    )
    parser.add_argument("--note", help="text to add to the table's about.json")
    parser.add_argument(
        "--check", metavar="SHARE", help="train this share again, such as 5%%, and compare"
    )
    parser.add_argument(
        "--seed", type=_seed, help="seed for choosing the trials of --check; 0 by default"
    )
    return parser


def _run(arguments: argparse.Namespace, console: Console) -> int:
    if (arguments.check is None) == (arguments.out is None):
        raise ConfigError(
            "give --out FOLDER to write a table, or --check 5% to train a part of one again"
        )
    only = {"out": ("no_latency", "note"), "check": ("seed",)}
    given = "out" if arguments.check is None else "check"
    for needed, options in only.items():
        for option in options:
            value = getattr(arguments, option)
            if needed != given and value is not None and value is not False:
                raise ConfigError(
                    f"--{option.replace('_', '-')}: needs --{needed}; leave it out"
                )
    if arguments.out is not None:
        if arguments.place is None:
            raise ConfigError("give the folder of a finished run, such as runs/digits_table")
        return _export(path_of(arguments.place), arguments, console)
    return _check(SHIPPED if arguments.place is None else arguments.place, arguments, console)


def _seed(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0 up")
    return int(text)


def _export(folder: Path, arguments: argparse.Namespace, console: Console) -> int:
    run = finished_run(folder)
    require_own(run, arguments.out)
    columns: dict[Architecture, dict[str, float]] = {}
    measured: dict[str, Any] = {}
    if not arguments.no_latency:
        from search.profiling.latency import measure_latencies  # noqa: PLC0415 - imports torch

        networks = list(run.source.cells)
        console.print(f"timing {how_many(len(networks), 'network')}, alone in this process")
        columns, measured = measure_latencies(
            networks,
            image_size=run.plan.data.resolution,
            threads=run.plan.resources.cpu,
            told=lambda count: _tell(count, console),
        )
    if arguments.note:
        measured["note"] = arguments.note
    write_table(run, arguments.out, latency=columns, measured=measured)
    write_blackbox(run, arguments.out / "blackbox", latency=columns)
    for path in sorted(each for each in arguments.out.rglob("*") if each.is_file()):
        console.print(f"{path}: {path.stat().st_size:,} bytes", soft_wrap=True)
    return ExitCode.DONE


def _tell(count: int, console: Console) -> None:
    if count % _EVERY == 0:
        console.print(f"{count:,} timed")


def share_of(text: str) -> float:
    """Read `5%` or `0.05` as a number above 0, up to 1.

    Raises:
        ConfigError: it is not such a number.
    """
    written = re.fullmatch(r"(\d+(?:\.\d+)?|\.\d+)(%?)", text.strip())
    share = float(written[1]) / (100 if written[2] else 1) if written else 0.0
    if not 0 < share <= 1:
        raise ConfigError(f"--check: {text!r} is not a share; write one such as 5%")
    return share


def _check(place: str, arguments: argparse.Namespace, console: Console) -> int:
    share, source = share_of(arguments.check), source_of(place)
    plan = source.plan
    if plan is None:
        raise ConfigError(
            f"{place}: has no about.json beside it, so how to train it again is not known; "
            "give a table that search.table wrote, or a run"
        )
    from search.executors.again import drawn, train_again  # noqa: PLC0415 - imports torch

    trials = drawn(source, share, seed=arguments.seed or 0)
    say = functools.partial(console.print, soft_wrap=True)
    for line in _announced(source, plan, trials):
        say(line)

    def tell(name: str, epoch: int, epochs: int) -> None:
        say(f"{name}: {epoch} of {how_many(epochs, 'epoch')}")

    same = 0
    for one in train_again(source, plan, trials, path_of(plan.data.root), tell=tell):
        same += not one.differences
        if one.differences:
            name, far = max(one.differences.items(), key=lambda item: item[1])
            say(
                f"{one.network.name}, repeat {one.repeat}: {len(one.differences)} numbers "
                f"differ, most {name}, by {far:.3g}"
            )
    on_cpu = not plan.resources.gpu
    if on_cpu and same < len(trials) and not source.processor:
        say(
            f"{place}: the kind of CPU that trained it all is not recorded; another kind may "
            "round differently"
        )
    say(
        f"{same:,} of {len(trials):,} are the same to the bit, each metric of each epoch; "
        f"they took {duration(_seconds(source, trials))} originally"
    )
    forgiven = on_cpu and _of_another_kind(source)
    return ExitCode.DONE if same == len(trials) or forgiven else ExitCode.FAILED


def _announced(
    source: Source, plan: StudyPlan, trials: Sequence[tuple[Architecture, int]]
) -> Iterator[str]:
    """What will be trained again, how long it took, and what differs on this machine."""
    total, on_cpu = sum(map(len, source.cells.values())), not plan.resources.gpu
    yield f"training {len(trials):,} of {how_many(total, 'trial')} again"
    if on_cpu and _of_another_kind(source):
        yield (
            f"the table was trained on another kind of CPU ({source.processor}; here "
            f"{processor_kind()}), which may round differently"
        )
    slow = on_cpu and plan.training.precision == "bf16" and lacks_bf16()
    why = f", but this CPU ({processor()}) has no instructions for bf16" if slow else ""
    yield f"they took {duration(_seconds(source, trials))} originally{why}"


def _of_another_kind(source: Source) -> bool:
    """Whether results are known to be of another kind of CPU than this one."""
    return bool(source.processor) and not is_same_kind(source.processor)


def _seconds(source: Source, trials: Sequence[tuple[Architecture, int]]) -> float:
    """Seconds that trials took originally."""
    epochs = (each for n, repeat in trials for each in source.cells[n][repeat].epochs)
    return sum(epoch.seconds for epoch in epochs)
