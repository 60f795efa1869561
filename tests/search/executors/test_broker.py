"""The broker: an executor's callbacks never see an exception of the study."""

import json
from pathlib import Path

import pytest

from search.executors.broker import Broker
from search.executors.ray import worker_failure
from search.schema.files import in_words
from search.schema.yaml import ConfigError
from search.space.survey import survey
from search.study.events import Lost, Started, Status
from search.study.journal import Journal, read
from search.study.study import Study
from tests.search.spaces import TINY, plan_of
from tests.search.study.test_study import end_of, epoch_of


@pytest.fixture
def study(tmp_path: Path) -> Study:
    config = plan_of(tmp_path)
    journal = Journal(tmp_path / "run")
    yield Study(config, survey(config), journal)
    journal.close()


def start_of(suggestion: dict[str, str] | None) -> Started:
    assert suggestion is not None
    return Started.from_json(json.loads(suggestion["started"]))


def result_of(started: Started, number: int) -> dict[str, str]:
    taken = {"images_per_s": 100.0, "parts": 1}
    return {
        "epoch": json.dumps(epoch_of(started, number).to_json()),
        "taken": json.dumps(taken),
    }


def test_weights_that_a_store_does_not_give_cost_no_study(tmp_path: Path) -> None:
    """Its trial is lost, and goes on from its last checkpoint."""
    config = plan_of(tmp_path, TINY, f"checkpoints={tmp_path / 'store'}")
    with Journal(tmp_path / "run") as journal:
        study = Study(config, survey(config), journal)
        broker = Broker(study, slots=1)
        started = start_of(broker.suggest("a"))
        end = {"ended": json.dumps(end_of(started).to_json())}
        broker.complete("a", end)
        assert broker.failure is None
        (lost,) = (record for record in read(tmp_path / "run") if isinstance(record, Lost))
        assert lost.reason.startswith("its weights were not fetched: ")
        assert start_of(broker.suggest("b")).trial == started.trial
        there = study.checkpoints.weights(study.weights.path(started) or Path())
        assert isinstance(there, Path)
        there.parent.mkdir(parents=True)
        for suffix in (".safetensors", ".json"):
            there.with_suffix(suffix).touch()
        broker.complete("b", end)
        assert started.trial in study.history.ends


def test_no_more_trials_than_slots_and_all_in_the_end(study: Study) -> None:
    broker = Broker(study, slots=2)
    running = {name: start_of(broker.suggest(name)) for name in "ab"}
    assert broker.suggest("c") is None
    assert not broker.over
    for name, started in running.items():
        assert not broker.report(result_of(started, 1))
        broker.complete(name, {"ended": json.dumps(end_of(started).to_json())})
    last = start_of(broker.suggest("c"))
    broker.complete("c", {"ended": json.dumps(end_of(last).to_json())})
    assert broker.over
    assert study.finished
    assert broker.failure is None


def test_a_disk_that_is_full_stops_everything_and_fails_no_trial(study: Study) -> None:
    broker = Broker(study, slots=2)
    one, two = (start_of(broker.suggest(name)) for name in "ab")
    study._journal._file.raw.close()  # every write fails from now on
    assert broker.report(result_of(one, 1)), "its trial is stopped"
    turn = json.dumps({"trial": two.trial, "share": 0.5, "seconds": 1.0})
    asked = {"epoch": None, "turn": turn}
    assert broker.report(asked), "the others at once, not at the end of an epoch"
    assert isinstance(broker.failure, (OSError, ValueError))
    broker.complete("a", result_of(one, 1))
    broker.complete("b", None)
    assert broker.over
    assert broker.suggest("c") is None
    assert study.history.live == {one.trial, two.trial}, "both are run again"


def test_an_epoch_that_comes_after_the_end_is_left_aside(study: Study) -> None:
    broker = Broker(study, slots=1)
    started = start_of(broker.suggest("a"))
    broker.complete("a", {"ended": json.dumps(end_of(started).to_json())})
    before = study._journal.path.read_bytes()
    assert broker.report(result_of(started, 1))
    assert study._journal.path.read_bytes() == before
    assert broker.failure is None


def test_a_trial_whose_worker_died_goes_on_elsewhere(study: Study) -> None:
    broker = Broker(study, slots=1)
    started = start_of(broker.suggest("a"))
    broker.report(result_of(started, 1))
    text = "Failure # 1\nTraceback\nActorDiedError: killed by SIGKILL\n\n"
    broker.error("a", worker_failure(text).reason)
    broker.complete("a", None)
    lost = list(study._journal.records())[-1]
    assert isinstance(lost, Lost)
    assert lost.reason == "its worker is gone: ActorDiedError: killed by SIGKILL"
    suggestion = broker.suggest("b")
    assert start_of(suggestion) == started
    assert suggestion is not None
    assert suggestion["reported"] == 1, "the epochs that the journal has are not reported again"


IN_A_STEP = "ray::TrialActor.train() (pid=12, ip=fd00::7, actor_id=ab)\n"
IN_WORDS = "search.executors.actor.NodeError: on node b (fd00::7): the disk is gone"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("ActorDiedError: It died.\n\tpid: 12\n\tip: 10.0.0.7\nIt was killed.", "10.0.0.7"),
        (IN_A_STEP + "LostError: the GPU is gone", "fd00::7"),
        (IN_A_STEP + IN_WORDS, ""),
        ("ActorDiedError: The node is gone", ""),
    ],
)
def test_a_lost_worker_s_machine_is_named_once(study: Study, text: str, named: str) -> None:
    broker, failure = Broker(study, slots=1), worker_failure(text)
    broker.suggest("a")
    broker.error("a", "it said nothing for 9 s")
    broker.error("a", failure.reason, failure.status, node=failure.node)
    broker.complete("a", None)
    lost = list(study._journal.records())[-1]
    assert isinstance(lost, Lost)
    where = f" on node {named}" if named else ""
    assert lost.reason == f"its worker{where} is gone: it said nothing for 9 s"


def test_a_worker_killed_for_memory_again_and_again_is_out_of_memory(study: Study) -> None:
    broker = Broker(study, slots=1)
    failure = worker_failure(
        "ray.exceptions.OutOfMemoryError: Task was killed due to the node running low"
    )
    for name in "abcd":
        started = start_of(broker.suggest(name))
        assert started.trial == 0
        broker.error(name, failure.reason, failure.status)
        broker.complete(name, None)
    broker.report(result_of(start_of(broker.suggest("e")), 1))
    ended = study.history.ends[0]
    assert ended.status is Status.OUT_OF_MEMORY
    assert ended.reason.startswith("lost 4 times without an epoch in between; the last time: ")


def test_a_disk_that_is_full_on_a_worker_stops_the_study_and_fails_no_trial(
    study: Study,
) -> None:
    broker = Broker(study, slots=1)
    started = start_of(broker.suggest("a"))
    broker.complete("a", {"failure": "/disk/net: No space left on device; make room"})
    assert isinstance(broker.failure, OSError)
    assert "make room" in in_words(broker.failure)
    assert study.history.live == {started.trial}


def test_a_worker_that_cannot_start_ends_the_run_not_the_trial(study: Study) -> None:
    broker = Broker(study, slots=1)
    started = start_of(broker.suggest("a"))
    failure = worker_failure(
        "The actor died because of an error raised in its creation task\nFileNotFound"
    )
    assert failure.cannot_start
    broker.cannot_start(failure.reason)
    broker.complete("a", None)
    assert isinstance(broker.failure, ConfigError)
    assert study.history.live == {started.trial}


def test_a_worker_that_cannot_start_where_others_could_is_a_failure_of_its_machine(
    study: Study,
) -> None:
    broker = Broker(study, slots=2)
    one, two = (start_of(broker.suggest(name)) for name in "ab")
    broker.report(result_of(one, 1))
    broker.cannot_start("FileNotFoundError: the package is gone")
    broker.complete("b", None)
    assert isinstance(broker.failure, OSError)
    assert study.history.live == {one.trial, two.trial}


def test_a_worker_that_dies_after_its_trial_went_on_elsewhere_ends_nothing(
    study: Study,
) -> None:
    broker = Broker(study, slots=2)
    started = start_of(broker.suggest("a"))
    broker._trials["b"] = started.trial  # it was paused under a, and resumed under b
    broker.error("a", "killed")
    broker.complete("a", None)
    assert started.trial in study.history.live
