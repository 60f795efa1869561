"""Which weights are kept: those of the networks that rank best, whatever ended first."""

import io
import random
from pathlib import Path

import pytest
from rich.console import Console

from search.closing import confirmed_table
from search.study.events import Ended, Epoch, Started, Status
from search.study.history import History
from search.study.journal import Journal
from search.study.study import Study
from search.study.weights import KeptWeights, weights_path
from tests.search.spaces import TINY, resolved_of

SEEDED = ("search.trials=3", "search.seeds=2")


def end(started: Started, error: float | None) -> Ended:
    metrics = {} if error is None else {"val_error": error, "test_error": error}
    status = Status.OK if metrics else Status.DIVERGED
    return Ended(trial=started.trial, status=status, metrics=metrics, epochs=started.epochs)


def end_of(study: Study, started: Started, error: float | None) -> None:
    """As an executor reports a trial: whole, or diverged in its first epoch."""
    for number in range(1, started.epochs + 1 if error is not None else 1):
        study.report(
            Epoch(
                trial=started.trial, epoch=number, metrics={"val_error": error or 0.0},
                images_per_s=1.0, seconds=1.0,
            )
        )  # fmt: skip
    study.end(end(started, error))


def there(folder: Path) -> set[str]:
    return {path.name for path in (folder / "networks").glob("*")}


def files_of(folder: Path, history: History, name: str) -> set[str]:
    whole = [s for _, s, _ in history.whole("search") if s.name == name]
    return {weights_path(folder, started).name for started in whole}


def started_again(folder: Path, tmp_path: Path, *overrides: str) -> set[str]:
    plan, survey = resolved_of(tmp_path, TINY, *overrides)
    with Journal(folder) as journal:
        Study(plan, survey, journal)
    return there(folder)


def run(folder: Path, tmp_path: Path, draw: random.Random, *overrides: str) -> History:
    """Trials two at a time that end in any order, each with its weights written."""
    plan, survey = resolved_of(tmp_path, TINY, *overrides)
    running: list[Started] = []
    with Journal(folder) as journal:
        study = Study(plan, survey, journal)
        while not study.finished:
            started = study.next() if len(running) < 2 else None
            if started is not None:
                running.append(started)
                continue
            one = running.pop(draw.randrange(len(running)))
            error = draw.choice([None, 8.0, 9.0, 10.0, 11.0])
            if error is not None:
                path = weights_path(folder, one)
                path.parent.mkdir(exist_ok=True)
                path.write_text("weights")
            end_of(study, one, error)
        return study.history


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("overrides", [("search.trials=5",), SEEDED], ids=["one", "seeds"])
def test_the_best_network_s_weights_are_kept_and_a_restart_changes_nothing(
    tmp_path: Path, seed: int, overrides: tuple[str, ...]
) -> None:
    """Few values, so that ties are many."""
    folder = tmp_path / "run"
    history = run(folder, tmp_path, random.Random(seed), *overrides)
    ranked = history.ranked()
    kept = there(folder)
    best = files_of(folder, history, ranked[0].started.name) if ranked else set()
    assert kept == best
    assert started_again(folder, tmp_path, *overrides) == kept


def test_files_are_in_the_order_of_means_over_seeds(tmp_path: Path) -> None:
    """The best single seed is of the second best network."""
    plan, survey = resolved_of(
        tmp_path, TINY, "search.trials=2", "search.seeds=2", "keep.best=2"
    )
    folder = tmp_path / "run"
    left = [[10.0, 11.0], [5.0, 30.0]]
    errors: dict[str, list[float]] = {}
    trials: list[Started] = []
    with Journal(folder) as journal:
        study = Study(plan, survey, journal)
        while (started := study.next()) is not None:
            if started.name not in errors:
                errors[started.name] = left.pop()
            end_of(study, started, errors[started.name][started.repeat])
            trials.append(started)
        (folder / "networks").mkdir(exist_ok=True)
        for started in trials:
            weights_path(folder, started).touch()
        kept = KeptWeights(folder, study.history, plan).paths()
    lucky, steady = errors
    assert [path.name.rpartition("-seed")[0] for path in kept] == [steady] * 2 + [lucky] * 2


def test_nothing_of_a_network_is_dropped_whose_mean_may_still_change(tmp_path: Path) -> None:
    plan, survey = resolved_of(tmp_path, TINY, *SEEDED)
    folder = tmp_path / "run"
    with Journal(folder) as journal:
        study = Study(plan, survey, journal)
        firsts = [study.next() for _ in range(3)]
        for started, error in zip(firsts, (10.0, 9.0, 30.0), strict=True):
            assert started is not None
            path = weights_path(folder, started)
            path.parent.mkdir(exist_ok=True)
            path.write_text("weights")
            study.end(end(started, error))
    assert len(there(folder)) == 3


def test_two_confirmations_keep_files_of_their_own(tmp_path: Path) -> None:
    plan, survey = resolved_of(
        tmp_path, TINY, "search.trials=1", "confirm={top: 1, seeds: 1, epochs: 5}"
    )
    with Journal(tmp_path / "run") as journal:
        study = Study(plan, survey, journal)
        first = study.next()
        assert first is not None
        study.end(end(first, 5.0))
        confirmed = study.next()
    assert confirmed is not None
    assert confirmed.phase == "confirm"
    assert "-confirmed-5epochs-seed0" in weights_path(tmp_path, confirmed).name
    assert KeptWeights(tmp_path, study.history, plan).paths() == []


def test_of_two_confirmations_the_one_that_is_compared_comes_first(tmp_path: Path) -> None:
    """The longer one as soon as it has every seed; both are told apart in the table."""
    journal = Journal(tmp_path / "run")
    firsts: list[str] = []
    for epochs in (4, 5):
        plan, survey = resolved_of(
            tmp_path, TINY, "search.trials=1", f"confirm={{top: 1, seeds: 2, epochs: {epochs}}}"
        )
        study = Study(plan, survey, journal)
        while (started := study.next()) is not None:
            weights_path(tmp_path / "run", started).parent.mkdir(exist_ok=True)
            weights_path(tmp_path / "run", started).touch()
            end_of(study, started, 9.0)
            firsts += [path.name for path in study.weights.paths()[:1]]
    journal.close()
    lengths = ["seed0" if "confirmed" not in name else name.split("-")[-2] for name in firsts]
    assert lengths == ["seed0", *["4epochs"] * 3, "5epochs"]
    output = io.StringIO()
    Console(file=output, width=200).print(confirmed_table(study.history, plan.objectives))
    said = [line.split()[:2] for line in output.getvalue().splitlines()]
    assert [row[1] for row in said if row and row[0] == study.history.trials[0].name] == [
        "4",
        "5",
    ]


def test_what_became_the_best_at_another_try_keeps_its_weights(tmp_path: Path) -> None:
    plan, survey = resolved_of(tmp_path, TINY, *SEEDED, "keep.best=1")
    folder = tmp_path / "run"
    errors = {0: 5.0, 1: 9.0, 2: 10.0}  # the first is best, and one of its seeds fails at first
    with Journal(folder) as journal:
        study = Study(plan, survey, journal)
        while not study.finished:
            started = study.next()
            fails = started.trial == 3
            if not fails:
                write(folder, started)
            end_of(study, started, None if fails else errors[started.trial % 3])
        assert study.retry([Status.DIVERGED]) == 1
        again = study.next()
        write(folder, again)
        end_of(study, again, 5.0)
        study.tidy()
        assert study.history.ranked()[0].started.name == again.name
        assert weights_path(folder, again).is_file()


def write(folder: Path, started: Started) -> None:
    path = weights_path(folder, started)
    path.parent.mkdir(exist_ok=True)
    path.write_text("weights")
