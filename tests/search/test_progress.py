"""What a person sees while it runs and at the end."""

import io
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import IO, cast

import pytest
from rich.console import Console
from rich.table import Table

from res2net.consoles import can_redraw
from res2net.terminal import Output
from search.closing import best_table, confirmed_table, print_whole
from search.display import status
from search.progress import Progress
from search.schema.units import duration, format_amount
from search.space.survey import survey
from search.study.checkpoints import save_checkpoint
from search.study.events import Started, Status, Turn
from search.study.journal import Journal
from search.study.study import Study
from tests.contracts.simulated import drive
from tests.search.spaces import TINY, plan_of
from tests.search.study.test_study import CONFIRMED, end_of, epoch_of, run

Happens = Callable[[Progress, Study, Started, Started], None]


class Terminal(io.StringIO):
    """What is written to a terminal."""

    def isatty(self) -> bool:
        return True


def stream(*, terminal: bool) -> io.StringIO:
    return Terminal() if terminal else io.StringIO()


def shown_of(tmp_path: Path, happens: Happens, *, terminal: bool) -> tuple[str, Study]:
    """What is shown of two trials beside each other, and their study."""
    output = stream(terminal=terminal)
    console = Console(file=output, force_terminal=terminal, width=400, color_system=None)
    with Journal(tmp_path / "run") as journal:
        study = Study(config := plan_of(tmp_path), survey(config), journal)
        with Progress(console, study) as progress:
            study.observers.append(progress)
            first, second = study.next(), study.next()
            assert first is not None
            assert second is not None
            happens(progress, study, first, second)
    return output.getvalue(), study


def watch(tmp_path: Path, *, terminal: bool) -> tuple[str, Study]:
    """Two trials, one of which fails; what was shown."""

    def happens(progress: Progress, study: Study, first: Started, second: Started) -> None:
        study.report(epoch_of(first, 1))
        study.turned(Turn(trial=second.trial, share=0.25, seconds=1.5))
        progress._console.print(progress._picture())
        study.end(end_of(first))
        study.end(end_of(second, Status.FAILED))

    return shown_of(tmp_path, happens, terminal=terminal)


def test_without_a_terminal_each_event_is_a_line(tmp_path: Path) -> None:
    shown, study = watch(tmp_path, terminal=False)
    lines = [
        line for line in shown.splitlines() if line.startswith(("trial", "1 done", "2 done"))
    ]
    assert lines[0].startswith(f"trial 0 starts: {study.history.trials[0].name}, ")
    assert "1 done, 1 running, 1 waiting, about " in shown
    assert f"| trial 0 ok: {study.history.trials[0].name}, val error " in shown
    assert f"| trial 1 failed: {study.history.trials[1].name}: broken" in shown


@pytest.mark.parametrize(
    ("variable", "value", "terminal"),
    [("FORCE_COLOR", "1", False), ("TTY_COMPATIBLE", "1", False), ("TERM", "dumb", True)],
)
def test_a_live_display_needs_a_terminal_that_can_redraw(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, terminal: bool
) -> None:
    """FORCE_COLOR, usual in CI, makes no terminal of a file; a dumb one moves no cursor."""
    monkeypatch.setenv("TERM", "xterm")
    for name in ("FORCE_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    assert can_redraw(Console(file=Terminal()))
    assert not can_redraw(Console(file=io.StringIO()))
    monkeypatch.setenv(variable, value)
    assert not can_redraw(Console(file=stream(terminal=terminal)))


def test_a_stdout_that_does_not_say_what_it_is_is_no_terminal() -> None:
    """As what loggers put in its place, which only write and flush."""
    bare = SimpleNamespace(write=len, flush=lambda: None)
    assert not can_redraw(Console(file=cast(IO[str], bare)))


def test_a_closed_file_is_no_terminal() -> None:
    (output := io.StringIO()).close()
    assert not can_redraw(Console(file=Output(output), force_terminal=True))


def test_without_a_live_display_each_event_is_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    output = io.StringIO()
    with Journal(tmp_path / "run") as journal:
        study = Study(config := plan_of(tmp_path), survey(config), journal)
        with Progress(Console(file=output, color_system=None), study) as progress:
            study.observers.append(progress)
            study.next()
    assert output.getvalue().startswith("trial 0 starts: ")
    assert "\x1b" not in output.getvalue(), "no control codes"


def test_a_dumb_terminal_cuts_no_table_off(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Rich takes it for 80 columns wide, whatever width it is told without a height."""
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setenv("FORCE_COLOR", "1")  # captured output counts as a terminal
    table = Table(*[f"column {number}" for number in range(12)])
    table.add_row(*["123456789"] * 12)
    print_whole(Console(), table)
    assert capsys.readouterr().out.count("123456789") == 12


def test_the_live_display_shows_what_runs_and_how_far(tmp_path: Path) -> None:
    shown, study = watch(tmp_path, terminal=True)
    assert "0 done, 2 running, 1 waiting" in shown
    assert "1 images/s" in shown
    assert "1/3" in shown
    assert "0.25/3" in shown
    assert "left" in shown
    assert study.history.trials[1].name in shown


def test_the_table_ranks_by_validation_error(tmp_path: Path) -> None:
    _, study = watch(tmp_path, terminal=False)
    output = io.StringIO()
    Console(file=output, width=140).print(best_table(study.history, study.plan.objectives))
    for word in (
        "depth",
        "width",
        "scale",
        "card.",
        "params",
        "MACs",
        "val error",
        "test error",
    ):
        assert word in output.getvalue()
    assert study.history.trials[0].name in output.getvalue()


def test_amounts_and_durations() -> None:
    assert [format_amount(n) for n in (999_999, 999.6, -5e6)] == ["1.00M", "1.00K", "-5.00M"]
    shown = [format_amount(n) for n in (940, 1500, 24_360_932, 3_947_925_504, 10**12)]
    assert shown == ["940", "1.50K", "24.4M", "3.95G", "1.00T"]
    assert [duration(s) for s in (8, 200, 18_600)] == ["8 s", "3 min 20 s", "5 h 10 min"]


def test_confirmed_networks_are_means_over_their_seeds(tmp_path: Path) -> None:
    config = plan_of(tmp_path, CONFIRMED)
    with Journal(tmp_path / "run") as journal:
        study = Study(config, survey(config), journal)
        run(study)
    output = io.StringIO()
    Console(file=output, width=160).print(confirmed_table(study.history, config.objectives))
    by_name: dict[str, list[float]] = {}
    for error, started, _ in study.history.whole("confirm"):
        by_name.setdefault(started.name, []).append(error)
    assert len(by_name) == 2
    for name, errors in by_name.items():
        shown = f"{statistics.mean(errors):.2f} +- {statistics.stdev(errors):.2f} % (2)"
        (line,) = [line for line in output.getvalue().splitlines() if name in line]
        assert shown in line


@pytest.mark.parametrize("epochs", [0, 1, 2])
def test_a_trial_that_goes_on_is_shown_as_far_as_it_is(tmp_path: Path, epochs: int) -> None:
    config = plan_of(tmp_path)
    with Journal(tmp_path / "run") as journal:
        study = Study(config, survey(config), journal)
        first = study.next()
        assert first is not None
        for number in range(1, epochs + 1):
            study.report(epoch_of(first, number))
        save_checkpoint(study.checkpoints.path(first.trial), lambda file: file.write(b"state"))
    shown: dict[bool, str] = {}
    for terminal in (False, True):
        output = stream(terminal=terminal)
        console = Console(file=output, force_terminal=terminal, width=100, color_system=None)
        with Journal(tmp_path / "run") as journal:
            study = Study(config, survey(config), journal)
            with Progress(console, study) as progress:
                study.observers.append(progress)
                assert study.next() == first
                console.print(progress._picture())
                study.next()
        shown[terminal] = output.getvalue()
    assert f"trial 0 resumes after {epochs} of 3 epochs: {first.name}, " in shown[False]
    assert "trial 1 starts: " in shown[False], "another that begins is no longer going on"
    assert f" {epochs}/3 " in shown[True]
    assert f"{first.name} (resumed)" in shown[True]
    if epochs:
        assert config.ranking.text(epoch_of(first, 1).metrics["val_error"]) in shown[True]


def test_a_copy_without_checkpoints_says_that_epochs_are_trained_again(tmp_path: Path) -> None:
    config, output = plan_of(tmp_path), io.StringIO()
    with Journal(tmp_path / "run") as journal:
        study = Study(config, survey(config), journal)
        first = study.next()
        assert first is not None
        study.report(epoch_of(first, 1))
    with Journal(tmp_path / "run") as journal:
        study = Study(config, survey(config), journal)
        with Progress(Console(file=output, width=120), study) as progress:
            study.observers.append(progress)
            study.next()
    assert "trial 0 has no checkpoint and repeats its 1 of 3 epochs: " in output.getvalue()


def test_a_confirmation_is_called_one(tmp_path: Path) -> None:
    config, output = plan_of(tmp_path, CONFIRMED), io.StringIO()
    with Journal(tmp_path / "run") as journal:
        study = Study(config, survey(config), journal)
        with Progress(Console(file=output, width=120), study) as progress:
            study.observers.append(progress)
            run(study)
    (name, *_) = [one.started.name for one in study.history.ranked()]
    lines = output.getvalue().splitlines()
    starts = [line for line in lines if f" starts: {name}" in line]
    ends = [line for line in lines if f" ok: {name}" in line]
    for told in (starts, ends):
        assert len(told) == 3
        assert f"{name}," in told[0]
        assert f"{name} (confirmation)," in told[1]
        assert f"{name} (confirmation, seed 2)," in told[2]


class Silent:
    """A study of one long trial, of which nothing is heard for as long as a test waits."""

    def __init__(self, folder: Path, journal: Journal, output: io.StringIO) -> None:
        config = plan_of(folder)
        self.study = Study(config, survey(config), journal)
        self.progress = Progress(
            Console(file=output, width=120), self.study, longest_silence=0.05
        )
        self.study.observers.append(self.progress)


def test_without_a_terminal_no_silence_is_long(tmp_path: Path) -> None:
    output = io.StringIO()
    with Journal(tmp_path / "run") as journal:
        silent = Silent(tmp_path, journal, output)
        with silent.progress:
            started = silent.study.next()
            assert started is not None
            silent.study.turned(Turn(trial=0, share=0.25, seconds=1.5))
            until = time.monotonic() + 20
            while output.getvalue().count("| trial 0 epoch 0.25/3") < 2:
                assert time.monotonic() < until, "a line was due"
                time.sleep(0.01)
        said = output.getvalue()
        time.sleep(0.2)
    assert output.getvalue() == said, "it ends with the study"
    assert "0 done, 1 running, 2 waiting, about " in said


@pytest.mark.parametrize("terminal", [False, True])
def test_what_goes_wrong_is_a_line_everywhere(tmp_path: Path, terminal: bool) -> None:
    """Also in a terminal, whose live display counts ends and nothing else."""

    def happens(progress: Progress, study: Study, first: Started, second: Started) -> None:
        progress.silent(first, 100, running=True)
        progress.silent(second, 100, running=False)
        study.lost(first.trial, "its worker is gone: killed")

    said, _ = shown_of(tmp_path, happens, terminal=terminal)
    assert (
        "trial 0 has reported nothing for 1 min 40 s; after 30 min 0 s (resources.sil" in said
    )
    assert "trial 1 has waited 1 min 40 s for a worker, which finds no room, or hangs" in said
    assert "trial 0 was lost and resumes later: its worker is gone: killed" in said


class Broken(io.StringIO):
    """A file that takes one line, like a disk that is full."""

    def write(self, text: str) -> int:
        if self.getvalue():
            raise OSError(28, "No space left on device")
        return super().write(text)


def test_a_line_that_cannot_be_written_is_heard_of_in_the_study(tmp_path: Path) -> None:
    with Journal(tmp_path / "run") as journal:
        silent = Silent(tmp_path, journal, Broken())
        with silent.progress:
            started = silent.study.next()
            assert started is not None
            until = time.monotonic() + 20
            while silent.progress._lost is None and time.monotonic() < until:
                time.sleep(0.01)
            with pytest.raises(OSError, match="No space left"):
                silent.study.end(end_of(started))


LONG = "res2next50_26.26.26.26w_1.2.4.8s_6.6.6.6c_se_dla_by_somebody_100classes"


def shown_in(tmp_path: Path, width: int) -> list[str]:
    """The display of a study whose trials take days and whose networks have long names."""
    config, output = plan_of(tmp_path, CONFIRMED), Terminal()
    console = Console(file=output, force_terminal=True, width=width, color_system=None)
    with Journal(tmp_path / "run") as journal:
        study = Study(config, survey(config), journal)
        progress = Progress(console, study)
        first, second = study.next(), study.next()
        assert first is not None
        assert second is not None
        long = replace(
            second, name=LONG, phase="confirm", repeat=2, epochs=300, macs=4_240_000_000
        )
        for started in (first, long):
            progress.started(started)
            days = {"seconds": 86_400.0, "images_per_s": 123_456.0}
            progress.reported(started, replace(epoch_of(started, 12), **days))
        study.history._ranking.whole(12.34, long, end_of(long))
        progress.turned(long, Turn(trial=long.trial, share=0.5, seconds=10.0))
        console.print(progress._picture())
    return output.getvalue().splitlines()


@pytest.mark.parametrize("width", [30, 40, 60, 80, 100, 160])
def test_the_display_fits_its_columns_and_loses_nothing(tmp_path: Path, width: int) -> None:
    lines = shown_in(tmp_path, width)
    assert max(map(len, lines)) <= width
    text = "\n".join(lines)
    assert "\u2026" not in text, "nothing is cut off"
    for phrase in ("0 done", "2 running", " left", "best val error 12.34 %", "12.50/300"):
        assert phrase in text, "no phrase is torn apart"
    joined = "".join(text.split())
    assert f"bestsofar:{LONG}" in joined, "the name is whole, over as many lines as it takes"
    assert "seed3" in joined
    assert ("4.24G" in text) == (width >= 60), "a narrow one shows less of each trial"


@pytest.mark.parametrize("status", [Status.FAILED, Status.DIVERGED, Status.PRUNED])
def test_without_a_best_network_there_is_a_sentence_and_no_table(
    tmp_path: Path, status: Status
) -> None:
    config = plan_of(tmp_path)
    with Journal(tmp_path / "run") as journal:
        study = Study(config, survey(config), journal)
        assert best_table(study.history, config.objectives) == (
            "no network has been fully trained yet, so none is the best: none of its trials "
            "has started"
        )
        first, second, third = study.next(), study.next(), study.next()
        assert first is not None
        assert second is not None
        assert third is not None
        study.end(end_of(first, status))
        study.end(end_of(second, Status.OUT_OF_MEMORY))
        said = best_table(study.history, config.objectives)
        assert said == (
            "no network has been fully trained yet, so none is the best: of its trials 1 "
            f"{status.value}, 1 out-of-memory, 1 under way"
        )
        study.end(end_of(third))
        assert not isinstance(best_table(study.history, config.objectives), str)


def test_without_a_confirmed_network_there_is_a_sentence_and_no_table(tmp_path: Path) -> None:
    config = plan_of(tmp_path, CONFIRMED)
    with Journal(tmp_path / "run") as journal:
        study = Study(config, survey(config), journal)
        run(study, status=lambda trial: Status.OK if trial < 3 else Status.DIVERGED)
    said = confirmed_table(study.history, config.objectives)
    assert said == "no network has been confirmed yet: of its trials 4 diverged"


def test_a_paused_trial_does_not_run(tmp_path: Path) -> None:
    """And its share of the time that is left is not divided among others."""
    text = TINY + "scheduler: {name: one_epoch, keep: 1}\n"
    with Journal(tmp_path / "run") as journal:
        study = Study(config := plan_of(tmp_path, text), survey(config), journal)
        with Progress(Console(file=io.StringIO()), study) as progress:
            study.observers.append(progress)
            for _ in range(2):
                started = study.next()
                assert started is not None
                assert study.report(epoch_of(started, 1)), "it is paused"
                assert not progress._snapshot.running
            study.next()
            assert len(progress._snapshot.running) == 1
            assert progress._snapshot.left == 2


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("", "about "),
        ("scheduler: {name: asha, grace: 1}\n", "at most "),
        ("scheduler: one_epoch\n", "at most "),
        ("zero_cost: {keep: 50%, by: params, after: 1}\n", "at most "),
    ],
)
def test_the_time_left_is_the_most_where_trials_may_end_early(
    tmp_path: Path, more: str, said: str
) -> None:
    output = io.StringIO()
    with Journal(tmp_path / "run") as journal:
        study = Study(config := plan_of(tmp_path, TINY + more), survey(config), journal)
        with Progress(Console(file=output, width=120), study) as progress:
            study.observers.append(progress)
            for number in range(1, 3):
                started = study.next()
                assert started is not None
                study.report(epoch_of(started, number))
                study.turned(Turn(trial=started.trial, share=0.5, seconds=1.0))
                shown = status(progress._snapshot)
                assert [one for one in shown if one.startswith(said) and "left" in one]


def test_no_time_is_left_where_the_best_few_have_been_trained(tmp_path: Path) -> None:
    """The paused trials then end without another epoch."""
    output = io.StringIO()
    text = TINY + "scheduler: {name: one_epoch, keep: 1}\n"
    with Journal(tmp_path / "run") as journal:
        study = Study(config := plan_of(tmp_path, text), survey(config), journal)
        with Progress(Console(file=output, width=120), study) as progress:
            study.observers.append(progress)
            drive(study, slots=1)
    (first, *_) = [line for line in output.getvalue().splitlines() if line.startswith("1 done")]
    assert "1 done, 0 running, 2 waiting, at most 0 s left" in first
