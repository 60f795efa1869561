"""With `ordered`, what is proposed does not depend on which worker was the fastest."""

import random
from pathlib import Path

import pytest

from search.samplers.in_order import InOrder, NotYet
from search.schema.yaml import ConfigError
from search.space.configuration import architecture_to_json
from search.space.survey import Survey, survey
from search.study.events import Known, Status
from search.study.journal import Journal
from search.study.losses import RETRIES
from search.study.study import Study
from tests.contracts.test_samplers import make, outcome
from tests.search.spaces import PAPER, plan_of
from tests.search.study.test_study import end_of, epoch_of

ORDERED = "{sampler: tpe, trials: 60, ordered: true, concurrency: 8}"
TEXT = PAPER.replace("epochs: 60", "epochs: 2").replace("{trials: 100}", ORDERED)


def searched(
    folder: Path, surveyed: Survey, *, workers: int, seed: int, kills: int, text: str = TEXT
) -> list[str]:
    """The networks of a study whose trials end in a random order, killed so many times."""
    plan, rng = plan_of(folder, text), random.Random(seed)
    left = kills
    while True:
        with Journal(folder / "run") as journal:
            study, running = Study(plan, surveyed, journal), []
            for _ in range(10_000):
                if study.finished:
                    return list(study.history.networks)
                while len(running) < workers and (started := study.next()) is not None:
                    running.append(started)
                if left and rng.random() < 0.2:
                    left -= 1
                    break  # as after kill -9: only the journal is left
                started = running.pop(rng.randrange(len(running)))
                study.report(epoch_of(started, 1))
                study.report(epoch_of(started, 2))
                study.end(end_of(started))


def test_the_same_networks_whoever_is_the_fastest_and_through_thirty_kills(
    tmp_path: Path,
) -> None:
    surveyed = survey(plan_of(tmp_path, TEXT))
    for name in ("one", "two", "three"):
        (tmp_path / name).mkdir()
    one = searched(tmp_path / "one", surveyed, workers=8, seed=1, kills=0)
    two = searched(tmp_path / "two", surveyed, workers=8, seed=2, kills=30)
    few = searched(tmp_path / "three", surveyed, workers=3, seed=3, kills=5)
    assert len(set(one)) == 60
    assert one == two == few


def test_without_it_the_order_of_ends_changes_the_search(tmp_path: Path) -> None:
    """So the test above tests something."""
    text = TEXT.replace(", ordered: true, concurrency: 8", "")
    surveyed = survey(plan_of(tmp_path, text))
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    one = searched(tmp_path / "one", surveyed, workers=8, seed=1, kills=0, text=text)
    assert one != searched(tmp_path / "two", surveyed, workers=8, seed=2, kills=0, text=text)


def test_a_proposal_waits_for_what_it_must_see(tmp_path: Path) -> None:
    surveyed = survey(plan_of(tmp_path, PAPER))
    sampler = InOrder(make("tpe", surveyed), 2)
    first = sampler.propose(0)
    sampler.take(first)
    second = sampler.propose(1)  # may run beside the first
    sampler.take(second)
    with pytest.raises(NotYet):
        sampler.propose(2)
    sampler.tell(second, outcome(1, 20.0))
    with pytest.raises(NotYet):
        sampler.propose(2)
    sampler.tell(first, outcome(0, 20.0))
    assert sampler.propose(2) not in (first, second)


def test_what_a_repair_puts_back_is_tried_though_results_are_missing(tmp_path: Path) -> None:
    surveyed = survey(plan_of(tmp_path, PAPER))
    sampler = InOrder(make("tpe", surveyed), 2)
    for candidate in (5, 6, 7):  # of the first two nothing is known yet
        sampler.take(candidate)
    with pytest.raises(NotYet):
        sampler.propose(3)
    for place, candidate in enumerate((5, 6, 7)):
        sampler.tell(candidate, outcome(place, 20.0))
    assert sampler.propose(3) not in (5, 6, 7)


def test_a_trial_that_is_given_up_holds_nobody_up(tmp_path: Path) -> None:
    """Lost again and again while nothing else runs: its end is what the next one waits for."""
    text = TEXT.replace("concurrency: 8", "concurrency: 1").replace("trials: 60", "trials: 3")
    plan = plan_of(tmp_path, text)
    with Journal(tmp_path / "run") as journal:
        study = Study(plan, survey(plan), journal)
        for _ in range(RETRIES + 1):
            started = study.next()
            assert started is not None
            assert started.trial == 0
            study.lost(0, "its worker is gone")
        second = study.next()
        assert second is not None
        assert second.trial == 1


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (", concurrency: 8", r"search.ordered: .*needs to know how many trials run at once"),
        (", ordered: true", r"search.concurrency: .*is only for ordered: true"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, changed: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        plan_of(tmp_path, TEXT.replace(changed, ""))


def test_a_scheduler_that_stops_trials_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"search.ordered: .*asha stops trials by whichever"):
        plan_of(tmp_path, TEXT + "scheduler: asha\n")


def test_what_other_runs_found_is_known_to_the_first_proposals(tmp_path: Path) -> None:
    """It has no order among this run's trials, so nothing of it waits."""
    free = TEXT.replace(", ordered: true, concurrency: 8", "")
    proposals = []
    for number, text in enumerate((free, TEXT)):
        (tmp_path / str(number)).mkdir()
        plan = plan_of(tmp_path / str(number), text)
        surveyed = survey(plan)
        with Journal(tmp_path / str(number) / "run") as journal:
            study = Study(plan, surveyed, journal)
            for trial in range(20):
                network = surveyed.architecture(7 * trial)
                study.know(
                    Known(
                        trial=-1 - trial, name=network.name, status=Status.OK, epochs=2,
                        architecture=architecture_to_json(network), source="runs/other",
                        values={"val_error": 40.0 - network.scale},
                    )
                )  # fmt: skip
            begun = [study.next() for _ in range(8)]
        proposals.append([started.name for started in begun if started is not None])
    assert len(proposals[0]) == 8
    assert proposals[0] == proposals[1]
