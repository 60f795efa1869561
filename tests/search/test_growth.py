"""What a decision costs does not grow with the trials there were: watched, seeds, confirmed."""

import io
import time
import tracemalloc
from pathlib import Path

import pytest
from rich.console import Console

from search.progress import Progress
from search.space.survey import survey
from search.study.events import Status
from search.study.history import History
from search.study.journal import FILE, Journal
from search.study.study import Study
from tests.search.spaces import TINY, plan_of
from tests.search.study.test_study import end_of, epoch_of

MANY = TINY.replace("width: [1, 2, 3]", "width: {from: 1, to: 500}").replace(
    "{max: 300K, min: 20K}", "{min: 1K}"
)
CONFIRMED = MANY.replace("resources:", "confirm: {top: 40, seeds: 5, epochs: 5}\nresources:")
BATCH = 150


@pytest.mark.parametrize(
    ("text", "settings"),
    [(MANY, ["search.seeds=2"]), (CONFIRMED, []), (MANY, ["keep.best=3"])],
    ids=["seeds", "confirm", "keep"],
)
def test_what_a_trial_costs_the_driver_stays_the_same(
    tmp_path: Path, text: str, settings: list[str]
) -> None:
    """CPU time: it is 0.7 to 1.1 times that of the first trials, beside other work too.

    Were all networks ranked at every end, the last trials would take 2.3 times as much.
    """
    config = plan_of(tmp_path, text, "search.trials=600", *settings)
    seconds = []
    with Journal(tmp_path / "run") as journal:
        study = Study(config, survey(config), journal)
        with Progress(Console(file=io.StringIO(), width=100), study) as progress:
            study.observers.append(progress)
            while study.left() >= BATCH:
                begin = time.process_time()
                for _ in range(BATCH):
                    started = study.next()
                    assert started is not None
                    for number in range(1, started.epochs + 1):
                        study.report(epoch_of(started, number))
                    study.end(end_of(started))
                seconds.append(time.process_time() - begin)
    assert min(seconds[-2:]) < 1.7 * min(seconds[:2])


def test_the_best_network_is_that_of_the_ranking_whatever_happens(tmp_path: Path) -> None:
    """Seeds end in turns, some fail and are tried again: the quick answer is the slow one."""
    config = plan_of(tmp_path, MANY, "search.trials=30", "search.seeds=4")
    failing = {3, 17, 40, 41, 77}
    with Journal(tmp_path / "run") as journal:
        study = Study(config, survey(config), journal)
        for again in ((), (Status.FAILED,)):
            study.retry(again)
            while not study.finished:
                started = study.next()
                assert started is not None
                for number in range(
                    study.history.epochs(started.trial) + 1, started.epochs + 1
                ):
                    study.report(epoch_of(started, number))
                failed = not again and started.trial in failing
                study.end(end_of(started, Status.FAILED if failed else Status.OK))
                ranked = study.history.ranked()
                assert study.history.best() == (ranked[0] if ranked else None)
                assert [one.value for one in ranked] == means(study.history)
    with Journal(tmp_path / "run") as journal:
        assert Study(config, survey(config), journal).history.ranked() == ranked


def means(history: History) -> list[float]:
    """Counted anew: of each network's whole trials, those without failure first."""
    loss = history.ranking.loss
    rows: dict[str, list[float]] = {}
    for value, started, _ in history.whole("search"):
        rows.setdefault(started.name, []).append(value)
    failed = {history.trials[t].name for t in history.trials if history.failed(t)}
    keys = [(name in failed, loss(sum(v) / len(v))) for name, v in rows.items()]
    return [loss(key) for _, key in sorted(keys)]


@pytest.mark.slow
def test_reading_a_journal_keeps_no_epochs(tmp_path: Path) -> None:
    """A study of 100 epochs a trial takes little more memory than one of 1."""
    peaks = {}
    for epochs in (1, 100):
        config = plan_of(tmp_path, MANY, "search.trials=200", f"training.epochs={epochs}")
        folder, surveyed = tmp_path / str(epochs), survey(config)
        with Journal(folder) as journal:
            study = Study(config, surveyed, journal)
            while not study.finished:
                started = study.next()
                assert started is not None
                for number in range(1, epochs + 1):
                    study.report(epoch_of(started, number))
                study.end(end_of(started))
        tracemalloc.start()
        with Journal(folder) as journal:
            assert Study(config, surveyed, journal).finished
        peaks[epochs] = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    size = (tmp_path / "100" / FILE).stat().st_size
    assert peaks[100] - peaks[1] < size / 10
