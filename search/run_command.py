"""The command `python -m search.run`: its options, and what it prints.

It also holds what `search.train` shares: running a study, showing it and reporting its end.
"""

import argparse
import shlex
import sys
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from rich.console import Console, ConsoleDimensions

from res2net import ArchitectureError
from res2net.consoles import can_redraw
from res2net.exit_codes import ExitCode, exit_code_help
from res2net.file_names import path_argument, unset_in
from res2net.plugins import PluginError
from res2net.terminal import run_command, why_lost
from search import session
from search.closing import print_whole, show, without_success
from search.machine import notes, require_arithmetic, require_resources
from search.plan import picture
from search.plan_work import hours
from search.power_plan import power
from search.preparation import Prepared, open_space, prepare
from search.profiling.estimate import RehearsalError
from search.request import Request
from search.result import StudyResult
from search.reuse import reusable
from search.samplers.ordered import Elsewhere
from search.schema.files import in_words
from search.schema.study_plan import StudyPlan
from search.schema.wording import all_have_ended, have_ended
from search.schema.yaml import ConfigError
from search.study import manifest
from search.study.deadline import TimeUpError
from search.study.journal import FILE, JournalError
from search.study.losses import retried_statuses
from search.study.measured import measured_spread
from search.study.reusing import Finished, certain
from search.warm_start import candidates_of, known_of, with_trials_left

_WIDTH = 120  # characters of a line where there is no terminal


def main(argv: Sequence[str]) -> int:
    """Run the command line; the exit code."""
    prints = "--plan" in argv
    return guarded(
        lambda console: _run(_parser().parse_args(argv), console, argv), prints=prints
    )


_GOES_ON = "what has finished is kept; the same command resumes it"
_NOTHING = "nothing was started, and nothing is kept"


def guarded(
    command: Callable[[Console], int], *, prints: bool = False, stopped: str = ""
) -> int:
    """Run a command with a console, report errors in words, and return the exit code.

    Args:
        command: takes the console.
        prints: whether its printed output is its only result.
        stopped: what remains when it is stopped, where that is neither nothing nor everything
            that has finished.
    """
    left = stopped or (_NOTHING if prints else _GOES_ON)
    return run_command(lambda: _said(command, left), prints=prints)


def _said(command: Callable[[Console], int], left: str) -> int:
    # Output may hold literal brackets: names of files, values of --set, errors.
    console = Console(markup=False, highlight=False, emoji=False)
    if not can_redraw(console):
        console.size = ConsoleDimensions(_WIDTH, console.height)
    try:
        return command(console)
    except TimeUpError as error:
        print(error, file=sys.stderr)
        return ExitCode.OUT_OF_TIME
    except (ArchitectureError, ConfigError, JournalError, PluginError) as error:
        print(error, file=sys.stderr)
        return ExitCode.BAD_INPUT
    except KeyboardInterrupt:
        why = f"{why_lost()}: " if why_lost() else ""
        print(f"{why}stopped: {left}", file=sys.stderr)
        return ExitCode.STOPPED
    except OSError as error:
        print(in_words(error), file=sys.stderr)
        return ExitCode.FAILED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python -m search.run",
        description="Run a study, or resume it: python -m search.run SPACE.yaml.",
        epilog=exit_code_help(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("space", type=path_argument, metavar="SPACE.yaml")
    parser.add_argument("--plan", action="store_true", help="show what it would do, and stop")
    parser.add_argument(
        "--measure",
        action="store_true",
        help="with --plan: time three candidates and estimate hours",
    )
    parser.add_argument(
        "--spread",
        type=path_argument,
        metavar="RUN",
        help="with --plan: measure from this run how much scores vary between seeds",
    )
    add_run_options(parser)
    return parser


def add_run_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of every command that runs trials."""
    parser.add_argument("--out", type=_new_folder, metavar="DIR", help="default: runs/<study>")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="override a value of the file, such as search.trials=20",
    )
    parser.add_argument(
        "--time-limit",
        metavar="TIME",
        help="such as 25m: stop by then and keep what there is; the same command resumes it",
    )
    parser.add_argument(
        "--retry",
        action="append",
        default=[],
        metavar="STATUS",
        help="failed or out-of-memory: try trials that ended this way again",
    )
    parser.add_argument(
        "--reuse",
        action="append",
        default=[],
        type=path_argument,
        metavar="RUN",
        help="take over trials that this run has finished and this study would repeat",
    )
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--address", help="address of a running Ray cluster, or auto")
    where.add_argument("--inline", action="store_true", help="run trials in this process")


def _new_folder(text: str) -> Path:
    """A folder that may be created: not one named after a variable without a value."""
    path = path_argument(text)
    if unset := unset_in(path):
        raise argparse.ArgumentTypeError(
            f"${unset} is not set here; set it, or write the folder's path"
        )
    return path


def _run(arguments: argparse.Namespace, console: Console, argv: Sequence[str]) -> int:
    session.deadline_of(arguments.time_limit)  # report a mistake in it first
    if arguments.measure and not arguments.plan:
        raise ConfigError("--measure: needs --plan; give both, or leave it out")
    if arguments.measure and arguments.address is not None:
        raise ConfigError(
            "--measure: times this machine, not those of --address; on one of them, leave "
            "--address out"
        )
    if arguments.spread and not arguments.plan:
        raise ConfigError("--spread: needs --plan; give both, or leave it out")
    space = open_space(arguments.space, arguments.set)
    for option in ("measure", "reuse"):
        if getattr(arguments, option) and space.file.execution.replay:
            raise ConfigError(f"--{option}: a replay trains nothing; leave it out")
    retried_statuses(arguments.retry)  # report a mistake in it, also before a plan
    prepared = prepare(space, folder=arguments.out, unseen=arguments.plan)
    if arguments.plan:
        _plan(prepared, arguments, console)
        return 0
    return run_and_show(prepared, arguments, console, ["python", "-m", "search.run", *argv])


def _plan(prepared: Prepared, arguments: argparse.Namespace, console: Console) -> None:
    """Show what a study would do, and what it can show."""
    plan, survey = prepared.plan, prepared.survey
    spread = measured_spread(arguments.spread, plan) if arguments.spread else None
    gpu, precision = prepared.space.file.resources.gpu, prepared.precision
    folder = Request(out=arguments.out).folder(plan)
    begun = (folder / FILE).exists()
    known = known_of(folder, plan, survey, prepared.space.document, console)
    found: Mapping[Hashable, Finished] = {}
    if arguments.reuse and (prepared.open_precision or plan.data.unseen):
        console.print("reuse: what can be taken over is known once precision and images are")
    else:
        found = reusable(arguments.reuse, plan, survey, prepared.parts, console)
    plan, refused = _going_on(folder, prepared, console) if begun else (plan, "")
    if refused:  # what is known is of another study
        known = ()
    plan = with_trials_left(plan, survey, len(known), prepared.space)
    prepared = replace(prepared, plan=plan)
    taken_over = certain(found, plan, {one.name for one in known})
    there = Elsewhere(
        candidates_of(known, survey),
        [one.candidate for one in taken_over.values()],
    )
    shown = picture(plan, survey, gpu=gpu, precision=precision, elsewhere=there)
    print_whole(console, shown)
    print_whole(console, power(plan, survey, spread))
    if refused:
        console.print(f"note: without --plan this would be refused: {refused}", soft_wrap=True)
    if arguments.address is None and not plan.execution.replay:
        for note in notes(prepared, begun=begun and not refused):
            console.print(note, soft_wrap=True)
    if arguments.measure:
        _measure(prepared, console, inline=arguments.inline, elsewhere=there)


def _going_on(folder: Path, prepared: Prepared, console: Console) -> tuple[StudyPlan, str]:
    """The plan as it resumes the study in a folder; and why it cannot, empty where it can."""
    try:
        plan, parts = prepared.plan, prepared.parts
        return manifest.going_on(folder, plan, parts, say=console.print), ""
    except ConfigError as error:
        return prepared.plan, str(error)


def run_and_show(
    prepared: Prepared,
    arguments: argparse.Namespace,
    console: Console,
    command: Sequence[str],
) -> int:
    """Run a study, show its results and how to resume it; return the exit code."""
    request = Request(
        out=arguments.out,
        time_limit=arguments.time_limit,
        address=arguments.address,
        inline=arguments.inline,
        retry=retried_statuses(arguments.retry),
        reuse=tuple(arguments.reuse),
        command=tuple(command),
    )
    drawn = 0
    study, result = session.run(prepared, request, console)
    if result.finished or result.out_of_time:
        drawn = show(console, study, result)
    became = _became(result, arguments.time_limit, command)
    console.print(became, soft_wrap=True)
    if why_lost():
        print(f"{why_lost()}; {became}", file=sys.stderr)
    if result.exit_code is ExitCode.NO_TRIAL_OK:
        print(*without_success(result.ended), sep="\n", file=sys.stderr)
    return result.exit_code or (ExitCode.FAILED if drawn else ExitCode.DONE)


def _became(result: StudyResult, limit: str | None, command: Sequence[str]) -> str:
    """How the start of a study ended, and how to resume it."""
    ended = sum(trial.ended is not None for trial in result.trials)
    if result.finished:
        return f"{result.plan.study}: {all_have_ended(ended)}; record: {result.folder}"
    why = f"time is up ({limit})" if result.out_of_time else "stopped"
    begun = len(result.trials) - ended
    kept = (
        "1 is kept as far as it got" if begun == 1 else f"{begun} are kept as far as they got"
    )
    return f"{why}: {have_ended(ended)}, {kept}; resume with: {shlex.join(command)}"


def _measure(
    prepared: Prepared, console: Console, *, inline: bool, elsewhere: Elsewhere
) -> None:
    """Show the plan in hours."""
    from search.profiling.measuring import measure, slots  # noqa: PLC0415 - imports torch

    require_resources(prepared.space)
    require_arithmetic(prepared.space)
    decided = session.packed(prepared, console, inline=inline)
    try:
        beside = 1 if inline else slots(decided)
        estimate = measure(decided, prepared.survey, beside=beside, elsewhere=elsewhere)
    except RehearsalError as error:
        remedy = "lower training.batch_size or the largest candidates"
        short = "memory" in str(error).lower()
        raise ConfigError(
            f"--measure: a candidate could not be trained for a few steps ({error})"
            + (f"; {remedy}" if short else "")
        ) from error
    print_whole(console, hours(decided, prepared.survey, estimate))
