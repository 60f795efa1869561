"""All that waits for a GPU, in calls of a few minutes: each goes on where the last one ended.

    python -m benchmarks.gpu [--minutes 9] [--device cpu] [--small] [--data data]
                             [--out FOLDER] [--runs FOLDER]

It runs first the tests that need CUDA and the behaviour of a trial at a GPU's limits, then the
benchmarks, and in the remaining time the study of `benchmarks.gpu_steps`. A step is started if
its time fits into the remaining minutes; a failed step is reported, does not stop the others,
and is tried once more in the next call. The folder of --out contains its output, the table and
state.json, from which the next call continues: keep that folder, and that of --runs. `--small`
does the same at a size that a CPU handles in minutes, to test that everything runs.
"""

import argparse
import contextlib
import ctypes
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from rich.console import Console
from rich.table import Table

from benchmarks.gpu_steps import Asked, Step, steps
from benchmarks.noise import name_of
from res2net.consoles import console_of
from res2net.exit_codes import ExitCode
from search.schema.files import replace_text

STATE, TABLE = "state.json", "table.txt"
_TRIES = 2
_GRACE = 10.0  # seconds to exit cleanly before a step is killed
_CLOSING = 5.0  # seconds reserved for the table
_LINES = 15  # of a failed step's output
_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of <linux/prctl.h>
_OVER = ("done", "skipped")


class Outcome(NamedTuple):
    """State of a step so far; state.json has the same fields."""

    command: tuple[str, ...]
    state: str  # begun, done, skipped, failed, or goes on
    tries: int = 0
    seconds: float = 0.0  # of the last try; for a continuing step in total
    headline: str = ""

    @property
    def over(self) -> bool:
        """Whether it will not be run again."""
        return self.state in _OVER or (self.state != "goes on" and self.tries >= _TRIES)


def main(argv: Sequence[str]) -> int:
    """Run what fits; return 0 if all is done, 4 if the same command continues, 1 otherwise."""
    begun = time.monotonic()
    arguments = _parser().parse_args(argv)
    if arguments.device == "cuda" and not torch.cuda.is_available():
        print("--device: cuda is not there; write --device cpu --small", file=sys.stderr)
        return ExitCode.BAD_INPUT
    own = Path("runs/gpu_small") if arguments.small else None
    out = arguments.out or own or Path("benchmarks/results/gpu")
    runs = arguments.runs or own or Path("analysis/results")
    asked = Asked(arguments.device, arguments.small, arguments.data, runs)
    if name_of(asked.data) != "cifar100":
        print(f"{asked.data}: no CIFAR-100 there; noise of its size takes its place")
    return go(list(steps(asked)), out, seconds=60 * arguments.minutes, begun=begun)


def go(
    asked: Sequence[Step], out: Path, *, seconds: float, begun: float | None = None
) -> ExitCode:
    """Run the unfinished steps that fit, and print the state of each.

    Args:
        asked: all steps, in order.
        out: folder of their output and state.
        seconds: time that all of this may take.
        begun: starting time of that period, from `time.monotonic`; now by default.
    """
    end = (time.monotonic() if begun is None else begun) + seconds - _CLOSING
    out.mkdir(parents=True, exist_ok=True)
    known = _known(out)
    for step in asked:
        before = known.get(step.name)
        if before is None or before.command != step.command:
            before = Outcome(step.command, "")
        left = end - time.monotonic()
        if before.over or step.needs + _GRACE > left:
            continue
        known[step.name] = before._replace(state="begun", tries=before.tries + 1)
        _keep(out, known)
        known[step.name] = _run(step, out, known[step.name], left=left)
        _keep(out, known)
    console = console_of(120)
    with (out / TABLE).open("w", encoding="utf-8") as file:
        for each in (console, Console(file=file, width=120)):
            each.print(table(asked, known))
    now = [known.get(step.name, Outcome((), "")) for step in asked]
    if not all(each.over for each in now):
        console.print(
            "not all is done; the same command goes on, with more --minutes if need be"
        )
        return ExitCode.OUT_OF_TIME
    return ExitCode.DONE if all(each.state in _OVER for each in now) else ExitCode.FAILED


def _run(step: Step, out: Path, outcome: Outcome, *, left: float) -> Outcome:
    """Run a step in its own process, with its output written to a file."""
    most = left - _GRACE if step.goes_on else step.needs
    command = [part.replace("{seconds}", str(int(most))) for part in step.command]
    path = out / f"{step.name}.txt"
    print(f"{step.name}: at most {most:.0f} s; {path}", flush=True)
    begun = time.monotonic()
    with path.open("ab") as file:
        file.write(f"\n$ {' '.join(command)}\n".encode())
        file.flush()
        start = file.tell()
        code, why = _waited(command, file, seconds=most)
    text = path.read_bytes()[start:].decode(errors="replace")
    seconds = time.monotonic() - begun + (outcome.seconds if step.goes_on else 0.0)
    quoted = step.quoted(text)
    state = "failed"
    if step.goes_on and code in (ExitCode.OUT_OF_TIME, ExitCode.STOPPED):
        state = "goes on"
    elif code == 0:
        state = "skipped" if "skipped" in quoted and "passed" not in quoted else "done"
    if state == "failed":
        quoted = why or f"ended with {code}"
        last = text.splitlines()[-_LINES:]
        print(f"{step.name} failed, {quoted}:", *last, sep="\n  ", flush=True)
    return outcome._replace(state=state, seconds=round(seconds, 1), headline=quoted)


def _waited(command: Sequence[str], file: Any, *, seconds: float) -> tuple[int, str]:
    """Run a command, leaving no processes behind; return exit code and why it was ended."""
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=file,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        preexec_fn=_end_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509 - no threads
    )
    with _ended_with(process):
        try:
            return process.wait(seconds), ""
        except subprocess.TimeoutExpired:
            return _end(process), f"ended after {seconds:.0f} s"


def _end_with_parent() -> None:
    """Make a starting process receive SIGTERM if its parent is killed."""
    ctypes.CDLL(None).prctl(_DEATH_SIGNAL, signal.SIGTERM)


@contextlib.contextmanager
def _ended_with(process: "subprocess.Popen[bytes]") -> Iterator[None]:
    """Make whatever ends this command also end the step with all its processes."""

    def stop(number: int, _frame: object) -> None:
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        _end(process)
        signal.signal(signal.SIGTERM, before)


def _end(process: "subprocess.Popen[bytes]") -> int:
    """End a step's processes, cleanly if possible, else by force; return its exit code."""
    if process.poll() is None:
        _signal(process, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE)
    _signal(process, signal.SIGKILL)
    return process.wait()


def _signal(process: "subprocess.Popen[bytes]", number: int) -> None:
    with contextlib.suppress(ProcessLookupError):  # all have ended already
        os.killpg(process.pid, number)


def _known(out: Path) -> dict[str, Outcome]:
    """Read the states of steps from earlier calls."""
    path = out / STATE
    if not path.exists():
        return {}
    read = json.loads(path.read_text(encoding="utf-8"))
    return {
        name: Outcome(**fields | {"command": tuple(fields["command"])})
        for name, fields in read.items()
    }


def _keep(out: Path, known: dict[str, Outcome]) -> None:
    told = {name: outcome._asdict() for name, outcome in known.items()}
    replace_text(out / STATE, json.dumps(told, indent=1) + "\n")


def table(asked: Sequence[Step], known: dict[str, Outcome]) -> Table:
    """Tabulate each step, its state, its seconds and its main number."""
    made = Table(title="What waited for a GPU")
    for column in ("step", "state", "seconds", "headline"):
        made.add_column(column, justify="right" if column == "seconds" else "left")
    for step in asked:
        there = known.get(step.name)
        if there is None or there.command != step.command:
            made.add_row(step.name, f"to do, needs {step.needs / 60:.1f} min", "", "")
            continue
        again = there.state in ("failed", "begun")
        state = f"{there.state}, {'gave up' if there.over else 'tried again'}" if again else ""
        made.add_row(step.name, state or there.state, f"{there.seconds:.0f}", there.headline)
    return made


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    default = "cuda" if torch.cuda.is_available() else "cpu"
    parser.add_argument("--minutes", type=float, default=9.0, help="that a call may take")
    parser.add_argument("--device", choices=("cpu", "cuda"), default=default)
    parser.add_argument("--small", action="store_true", help="only to see that all of it runs")
    parser.add_argument("--data", type=Path, default=Path("data"), help="holds the data sets")
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FOLDER",
        help="of output and state; benchmarks/results/gpu, of --small runs/gpu_small",
    )
    parser.add_argument(
        "--runs",
        type=Path,
        metavar="FOLDER",
        help="of the study; analysis/results, of --small runs/gpu_small",
    )
    return parser


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
