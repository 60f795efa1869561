"""What a person sees while it runs and at the end."""

import io
import statistics
from pathlib import Path

from rich.console import Console

from search.closing import best_table, confirmed_table
from search.progress import Progress
from search.schema.units import duration, format_amount
from search.space.survey import survey
from search.study.events import Status, Turn
from search.study.journal import Journal
from search.study.study import Study
from tests.search.spaces import plan_of
from tests.search.study.test_study import CONFIRMED, end_of, epoch_of, run


def watch(tmp_path: Path, *, terminal: bool) -> tuple[str, Study]:
    """Two trials beside each other, one of which fails; what was shown."""
    output = io.StringIO()
    console = Console(file=output, force_terminal=terminal, width=120, color_system=None)
    with Journal(tmp_path / "run") as journal:
        study = Study(config := plan_of(tmp_path), survey(config), journal)
        with Progress(console, study) as progress:
            study.observers.append(progress)
            first, second = study.next(), study.next()
            assert first is not None
            assert second is not None
            study.report(epoch_of(first, 1))
            study.turned(Turn(trial=second.trial, share=0.25, seconds=1.5))
            console.print(progress._picture())
            study.end(end_of(first))
            study.end(end_of(second, Status.FAILED))
    return output.getvalue(), study


def test_without_a_terminal_each_event_is_a_line(tmp_path: Path) -> None:
    shown, study = watch(tmp_path, terminal=False)
    lines = [
        line for line in shown.splitlines() if line.startswith(("trial", "1 done", "2 done"))
    ]
    assert lines[0].startswith(f"trial 0 starts: {study.history.trials[0].name}, ")
    assert "1 done, 1 running, 1 waiting, about " in shown
    assert f"| trial 0 ok: {study.history.trials[0].name}, val error " in shown
    assert f"| trial 1 failed: {study.history.trials[1].name}: broken" in shown


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
