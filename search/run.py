"""Run a study, or go on with it: python -m search.run SPACE.yaml.

Options: --plan shows what it would do; --out DIR; --set key=value; --time-limit 25m;
--address of a Ray cluster; --inline runs the trials in this process. Ends with 0 (also when
the time was up), with 2 for bad input (before anything runs), with 130 when it was stopped; the
same command goes on.
"""

import argparse
import os
import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from search import plan
from search.executors.signals import sigterm_as_ctrl_c
from search.images.preparing import make_ready
from search.profiling.estimate import RehearsalError
from search.progress import Progress, best_table, confirmed_table, cut_trials
from search.schema.config import Config
from search.schema.units import amount, seconds
from search.schema.yaml import ConfigError, Document
from search.space.load import load
from search.space.survey import Survey, survey
from search.study import manifest
from search.study.deadline import Deadline
from search.study.events import Status
from search.study.journal import FILE, Journal, JournalError
from search.study.study import Study

_STOPPED = 130  # what shells say of a command ended by Ctrl-C


def main(argv: Sequence[str]) -> int:
    """Run the command line; the exit code."""
    arguments = _parser().parse_args(argv)
    wide = None if sys.stdout.isatty() else 120
    # What is printed holds brackets of its own: names of files, values of --set, errors.
    console = Console(width=wide, markup=False, highlight=False, emoji=False)
    try:
        return _run(arguments, console, command=["python", "-m", "search.run", *argv])
    except (ConfigError, JournalError) as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped: what has finished is kept; the same command goes on", file=sys.stderr)
        return _STOPPED
    except OSError as error:
        print(
            f"{error.filename or 'the run'}: {error.strerror or error}; what had finished is "
            "kept: mend that (make room on the disk, say) and give the same command again",
            file=sys.stderr,
        )
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python -m search.run", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("space", type=Path, metavar="SPACE.yaml")
    parser.add_argument("--plan", action="store_true", help="show what it would do, and stop")
    parser.add_argument(
        "--measure", action="store_true", help="with --plan: time three candidates, give hours"
    )
    parser.add_argument("--out", type=Path, metavar="DIR", help="default: runs/<study>")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="lay a value over the file's, such as search.trials=20",
    )
    parser.add_argument(
        "--time-limit",
        metavar="TIME",
        help="such as 25m: end by then with what there is kept; the same command goes on",
    )
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--address", help="of a running Ray cluster, or auto")
    where.add_argument("--inline", action="store_true", help="run trials in this process")
    return parser


def _run(arguments: argparse.Namespace, console: Console, *, command: list[str]) -> int:
    deadline = _deadline(arguments.time_limit)
    config, document = load(arguments.space, tuple(arguments.set))
    surveyed = survey(config)
    config = plan.counted(config, surveyed)
    plan.check(config, surveyed, document)
    if arguments.measure and not arguments.plan:
        raise ConfigError("--measure: goes with --plan; give both, or leave it out")
    if arguments.plan:
        console.print(plan.picture(config, surveyed))
        if arguments.measure:
            _measure(arguments, console, config, document, surveyed)
        return 0
    folder = arguments.out or Path("runs") / config.study
    begun = (folder / FILE).exists()
    left_out: tuple[str, ...] = ()
    if not begun:  # what cannot run leaves no folder behind; what has ended needs no images
        left_out = _require(config, document, console, cluster=arguments.address is not None)
        config = _packed(arguments, console, config, document, surveyed)
    with Journal(folder) as journal:
        config = manifest.going_on(folder, config)
        study = Study(config, surveyed, journal, deadline)
        ended = len(study.history.ends)
        if study.finished:
            console.print(f"nothing to run: all {ended} trials of {config.study} have ended")
        else:
            if begun:
                cluster = arguments.address is not None
                left_out = _require(config, document, console, cluster=cluster)
                manifest.same_images(folder, left_out)
                live = len(study.history.live)
                console.print(f"going on: {ended} trials have ended, {live} interrupted")
                config = _packed(arguments, console, config, document, surveyed)
            manifest.note(
                folder, config, space=arguments.space, command=command, left_out=left_out
            )
            _execute(arguments, console, study, config, folder)
        study.tidy()
        return _end(arguments, console, study, folder, command=command)


def _end(
    arguments: argparse.Namespace,
    console: Console,
    study: Study,
    folder: Path,
    *,
    command: Sequence[str],
) -> int:
    """What came out, and how to go on where something is left; the exit code."""
    if study.finished:
        return _show(console, study, folder)
    code = _show(console, study, folder) if study.out_of_time else _STOPPED
    ended, live = len(study.history.ends), len(study.history.live)
    why = f"time is up ({arguments.time_limit})" if study.out_of_time else "stopped"
    console.print(
        f"{why}: {ended} trials have ended, {live} are kept as far as they are; go on with: "
        f"{shlex.join(command)}",
        soft_wrap=True,
    )
    return code


def _deadline(limit: str | None) -> Deadline | None:
    try:
        return None if limit is None else Deadline(seconds(limit))
    except ValueError as error:
        raise ConfigError(f"--time-limit: {error}") from error


def _measure(
    arguments: argparse.Namespace,
    console: Console,
    config: Config,
    document: Document,
    surveyed: Survey,
) -> None:
    """The plan in hours."""
    from search.profiling.measuring import measure, slots  # noqa: PLC0415 - imports torch

    _require_resources(config, document)
    config = _packed(arguments, console, config, document, surveyed)
    try:
        estimate = measure(config, surveyed, beside=1 if arguments.inline else slots(config))
    except RehearsalError as error:
        raise ConfigError(
            f"--measure: a candidate could not be trained for a few steps ({error}); lower "
            "training.batch_size or the largest candidates, or leave --measure out"
        ) from error
    console.print(plan.hours(config, surveyed, estimate))


def _packed(
    arguments: argparse.Namespace,
    console: Console,
    config: Config,
    document: Document,
    surveyed: Survey,
) -> Config:
    """The config with a number of GPUs where the file says auto."""
    if config.resources.gpu != "auto":
        return config
    from search.profiling.packing import pack, with_gpu  # noqa: PLC0415 - imports torch

    if arguments.inline:  # one after another
        return with_gpu(config, 1.0)
    packing = pack(config, surveyed, place=document.place(("resources", "gpu")))
    rates = ", ".join(f"{n}: {rate:,.0f}" for n, rate in packing.images_per_s.items())
    console.print(
        f"gpu: auto: {packing.trials} trials on one GPU (images/s of all together by their "
        f"number: {rates}; the dearest takes {amount(packing.memory)}B)"
    )
    return with_gpu(config, 1 / packing.trials)


def _require(
    config: Config, document: Document, console: Console, *, cluster: bool
) -> tuple[str, ...]:
    """What a trial takes and, last, its images; ConfigError where they are not to be had.

    Returns the images that are left out.
    """
    if cluster and config.resources.gpu == "auto":
        raise ConfigError(
            f"{document.place(('resources', 'gpu'))}: resources.gpu: auto measures on this "
            "machine, not on a cluster; write the share that it finds on one of its GPUs"
        )
    if not cluster:
        _require_resources(config, document)
    sigterm_as_ctrl_c()
    return make_ready(config.data, document, console)


def _require_resources(config: Config, document: Document) -> None:
    there: dict[str, float] = {"cpu": os.cpu_count() or 1}
    if config.resources.gpu:
        import torch  # noqa: PLC0415 - seconds that a CPU study need not wait here

        there["gpu"] = torch.cuda.device_count()
    for kind, most in there.items():
        asked = getattr(config.resources, kind)
        place = f"{document.place(('resources', kind))}: resources.{kind}"
        if asked == "auto" and not most:
            raise ConfigError(
                f"{place}: auto measures on a GPU, and this machine has none; write gpu: 0 for "
                "CPUs, or a share such as 0.5 and the --address of a Ray cluster"
            )
        if asked != "auto" and asked > most:
            raise ConfigError(
                f"{place}: a trial asks for {asked:g}, this machine has {most:g}; write at "
                "most that, or give the --address of a Ray cluster"
            )


def _execute(
    arguments: argparse.Namespace,
    console: Console,
    study: Study,
    config: Config,
    folder: Path,
) -> None:
    """Run what is left, until it is done, time is up or someone presses Ctrl-C."""
    root = Path(config.data.root)
    sigterm_as_ctrl_c()
    if study.over:  # making images ready took all the time there was
        return
    how = "in this process" if arguments.inline else "on Ray, which takes seconds to start"
    console.print(f"{config.study}: {study.left()} trials to run, {how}; record: {folder}")
    with Progress(console, study) as progress:
        study.watchers.append(progress)
        try:
            if arguments.inline:
                from search.executors.inline import run_inline  # noqa: PLC0415 - imports torch

                run_inline(study, config, folder=folder, root=root)
            else:
                from search.executors.ray import run_on_ray  # noqa: PLC0415 - imports Ray

                run_on_ray(study, config, folder=folder, root=root, address=arguments.address)
        except KeyboardInterrupt:
            console.print("stopping: what has finished is kept")


def _show(console: Console, study: Study, folder: Path) -> int:
    """The table of the best, the counts of the rest, and where everything lies."""
    history = study.history
    # Names must be whole, also in a narrow window: it then wraps the lines.
    wide = Console(width=max(console.width, 110), markup=False, highlight=False, emoji=False)
    wide.print(best_table(history))
    if history.ended("confirm"):
        wide.print(confirmed_table(history))
    for trial, ended in history.ends.items():
        if ended.status not in (Status.OK, Status.PRUNED):
            console.print(f"trial {trial} {ended.status}: {ended.reason}", soft_wrap=True)
    for line in cut_trials(history, usual=study.config.training.accumulate):
        console.print(line, soft_wrap=True)
    # A process of its own: search must not know analysis, and drawing needs other libraries.
    command = [sys.executable, "-m", "analysis.summary", str(folder)]
    drawn = subprocess.run(command, check=False)  # noqa: S603 - our own module
    console.print(f"record: {folder / FILE}", soft_wrap=True)
    console.print(
        f"report: python -m analysis.report {shlex.quote(str(folder))}", soft_wrap=True
    )
    return drawn.returncode


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
