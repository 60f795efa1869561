"""Tuned networks whose tries failed and are tried again, tie, or rest with a scheduler."""

from pathlib import Path

import pytest

from search.space.survey import survey
from search.study.events import Ended, Epoch, Started, Status
from search.study.journal import Journal
from search.study.study import Study
from tests.search.spaces import TINY, plan_of

RATES = "[0.02, 0.05, 0.1, 0.2, 0.4]"
TUNED = TINY.replace("lr: 0.1", f"lr: {RATES}").replace("search: {", "search: {tune: [lr], ")


def report(study: Study, started: Started, value: float) -> None:
    """All epochs of a trial, and its end where it is not stopped before."""
    for number in range(study.history.epochs(started.trial) + 1, started.epochs + 1):
        metrics = {"train_loss": 1.0, "val_error": value, "val_error_top5": 0.0}
        one = Epoch(
            trial=started.trial, epoch=number, metrics=metrics, images_per_s=1.0, seconds=1.0
        )
        if study.report(one):
            return
    metrics = {"val_error": value, "test_error": value}
    study.end(
        Ended(trial=started.trial, status=Status.OK, epochs=started.epochs, metrics=metrics)
    )


def fail(study: Study, started: Started) -> None:
    study.end(Ended(trial=started.trial, status=Status.FAILED, reason="a disk"))


def next_of(study: Study) -> Started:
    started = study.next()
    assert started is not None
    return started


def run(study: Study, error_of: dict[float, float]) -> list[Started]:
    ran = []
    while (started := study.next()) is not None:
        ran.append(started)
        report(study, started, error_of[started.tuned["lr"]])
    assert study.finished
    return ran


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_of_equal_tries_one_stands_everywhere(tmp_path: Path, order: tuple[int, int]) -> None:
    text = TUNED.replace(RATES, "[0.1, 0.2]").replace(
        "resources:", "confirm: {top: 1, seeds: 1, epochs: 3}\nresources:"
    )
    plan = plan_of(tmp_path, text, "search.trials=1", "search.seeds=2")
    with Journal(tmp_path / "run") as journal:
        study = Study(plan, survey(plan), journal)
        tries = [next_of(study), next_of(study)]
        for place in order:
            report(study, tries[place], 50.0)
        (first,) = study.history.ranked()
        others = run(study, {0.1: 50.0, 0.2: 50.0})
    assert study.history.chosen(first.started.name) == first.started.trial
    assert {one.phase for one in others} == {"search", "confirm"}
    assert {one.tuned["lr"] for one in others} == {first.started.tuned["lr"]}


def test_a_network_none_of_whose_tries_succeeds_comes_last(tmp_path: Path) -> None:
    """Its other seed may be the best of all: it is a mean of survivors."""
    plan = plan_of(
        tmp_path, TUNED.replace(RATES, "[0.1, 0.2]"), "search.trials=2", "search.seeds=2",
        "search.sampler=grid", "keep.best=1",
    )  # fmt: skip
    with Journal(tmp_path / "run") as journal:
        study = Study(plan, survey(plan), journal)
        bad = None
        while (started := study.next()) is not None:
            bad = bad or started.name
            if started.name == bad and started.is_try:
                fail(study, started)
            else:
                report(study, started, 10.0 if started.name == bad else 50.0)
        last = study.history.ranked()[-1]
        assert (last.started.name, last.value, len(last.ends)) == (bad, 10.0, 1)
        best = study.history.best()
        assert best is not None
        assert best.started.name != bad
        assert bad in study.weights._dropped, "what is kept goes by the same order"
        study.retry([Status.FAILED])
        run(study, {0.1: 12.0, 0.2: 14.0})
        assert study.history.ranked()[0].started.name == bad


@pytest.mark.parametrize("deleted", [0, 1])
def test_a_try_instead_of_one_whose_lines_were_deleted_has_weights_of_its_own(
    tmp_path: Path, deleted: int
) -> None:
    plan = plan_of(tmp_path, TUNED.replace(RATES, "[0.1, 0.2]"), "search.trials=1")
    with Journal(tmp_path / "run") as journal:
        run(Study(plan, survey(plan), journal), {0.1: 50.0, 0.2: 40.0})
        kept = [record for record in journal.records() if record.trial != deleted]
    with Journal(tmp_path / "mended") as journal:
        for record in kept:
            journal.append(record)
        study = Study(plan, survey(plan), journal)
        run(study, {0.1: 50.0, 0.2: 40.0})
        paths = {study.weights.path(one) for one in study.history.trials.values()}
    assert len(paths) == 2


@pytest.mark.parametrize("tuner", ["random", "tpe", "local"])
def test_a_try_that_failed_is_tried_again_beside_tries_to_come(
    tmp_path: Path, tuner: str
) -> None:
    text = TUNED.replace("tune: [lr]", f"tune: {{keys: [lr], trials: 3, sampler: {tuner}}}")
    plan = plan_of(tmp_path, text, "search.trials=2", "search.sampler=tpe")
    with Journal(tmp_path / "run") as journal:
        study = Study(plan, survey(plan), journal)
        fail(study, next_of(study))
    for _ in range(2):  # the journal holds it, so every start comes past it
        with Journal(tmp_path / "run") as journal:
            study = Study(plan, survey(plan), journal)
            study.retry([Status.FAILED])
            run(study, dict.fromkeys((0.02, 0.05, 0.1, 0.2, 0.4), 50.0))
            assert {one.status for one in study.history.ends.values()} == {Status.OK}
            assert len(study.history.ends) == 2 * 3


def test_other_seeds_keep_the_settings_that_they_began_with(tmp_path: Path) -> None:
    text = TUNED.replace(RATES, "[0.1, 0.2]")
    plan = plan_of(tmp_path, text, "search.trials=1", "search.seeds=2")
    with Journal(tmp_path / "run") as journal:
        study = Study(plan, survey(plan), journal)
        report(study, next_of(study), 50.0)
        fail(study, next_of(study))
        other = next_of(study)
        assert (other.repeat, other.tuned) == (1, {"lr": 0.1})
        report(study, other, 52.0)
        study.retry([Status.FAILED])
        report(study, next_of(study), 10.0)  # better, and too late
        (network,) = study.history.ranked()
    assert study.finished
    assert network.started.tuned == {"lr": 0.1}
    assert network.value == 51.0
    assert len(network.ends) == 2


def test_a_retried_try_takes_no_other_seed_s_place(tmp_path: Path) -> None:
    text = TUNED.replace(RATES, "[0.1, 0.2]")
    plan = plan_of(tmp_path, text, "search.trials=1", "search.seeds=2")
    with Journal(tmp_path / "run") as journal:
        study = Study(plan, survey(plan), journal)
        fail(study, next_of(study))
        fail(study, next_of(study))
        report(study, next_of(study), 52.0)  # the other seed
        study.retry([Status.FAILED])
        run(study, {0.1: 50.0, 0.2: 40.0})
        (network,) = study.history.ranked()
    assert network.value == 51.0, "of both seeds, with the settings that both have"


def test_tries_are_chosen_by_what_ranks_whatever_else_is_compared(tmp_path: Path) -> None:
    text = TUNED.replace("tune: [lr]", "tune: {keys: [lr], trials: 4}")
    plan = plan_of(
        tmp_path, text, "search.trials=1", "search.sampler=nsga2",
        "search.objectives=[macs, val_error]",
    )  # fmt: skip
    with Journal(tmp_path / "run") as journal:
        study = Study(plan, survey(plan), journal)
        ran = run(study, {0.02: 50.0, 0.05: 40.0, 0.1: 30.0, 0.2: 20.0, 0.4: 10.0})
    rates = [one.tuned["lr"] for one in ran]
    assert rates == [0.1, 0.05, 0.2, 0.4], "a climb from the middle to the best"


@pytest.mark.parametrize(
    "scheduler",
    ["{name: asha, promotion: true, reduction: 2}", "{name: one_epoch}",
     "{name: curves, share: 0.6}"],
)  # fmt: skip
def test_networks_whose_tries_rest_have_their_other_seeds_too(
    tmp_path: Path, scheduler: str
) -> None:
    text = TUNED.replace("resources:", f"scheduler: {scheduler}\nresources:")
    plan = plan_of(tmp_path, text, "search.trials=4", "search.seeds=2", "training.epochs=6")
    with Journal(tmp_path / "run") as journal:
        study = Study(plan, survey(plan), journal)
        ran = run(study, {0.02: 50.0, 0.05: 40.0, 0.1: 30.0, 0.2: 20.0, 0.4: 10.0})
        first = {one.trial for one in ran if one.is_try}
        assert len(first) == plan.first_trials == 20
        assert any(one.repeat for one in ran)


def test_a_baseline_of_one_epoch_waits_for_every_try(tmp_path: Path) -> None:
    text = TUNED.replace("resources:", "scheduler: {name: one_epoch, keep: 1}\nresources:")
    plan = plan_of(tmp_path, text, "search.trials=4", "search.seeds=1")
    with Journal(tmp_path / "run") as journal:
        study = Study(plan, survey(plan), journal)
        run(study, {0.02: 50.0, 0.05: 40.0, 0.1: 30.0, 0.2: 20.0, 0.4: 10.0})
        whole = [one for one in study.history.ends.values() if one.status is Status.OK]
    assert [study.history.trials[one.trial].tuned["lr"] for one in whole] == [0.4]


def test_the_try_that_stood_is_tried_again_with_its_settings_once_its_lines_were_deleted(
    tmp_path: Path,
) -> None:
    text = TUNED.replace(RATES, "[0.1, 0.2, 0.4]")
    plan = plan_of(tmp_path, text, "search.trials=2", "search.seeds=2")
    errors = {0.1: 50.0, 0.2: 30.0, 0.4: 60.0}
    with Journal(tmp_path / "run") as journal:
        study = Study(plan, survey(plan), journal)
        run(study, errors)
        first = study.history.ranked()[0].started
        kept = [record for record in journal.records() if record.trial != first.trial]
    with Journal(tmp_path / "mended") as journal:
        for record in kept:
            journal.append(record)
        study = Study(plan, survey(plan), journal)
        (again,) = run(study, {**errors, 0.2: 55.0})  # it would not be chosen by this
        assert (again.name, again.tuned, again.repeat) == (first.name, first.tuned, 0)
        chosen = {study.history.chosen(name) for name in study.history.networks}
        assert again.trial in chosen, "its other seed has these settings"
        (ranked,) = (one for one in study.history.ranked() if one.started.name == first.name)
        assert [study.history.trials[one.trial].tuned for one in ranked.ends] == [
            first.tuned
        ] * 2
        assert ranked.value == (55.0 + 30.0) / 2


def test_a_confirmation_fixes_the_settings_that_it_confirms(tmp_path: Path) -> None:
    """Also if a try that failed is tried again, and turns out better."""
    text = TUNED + "confirm: {top: 1, seeds: 3, epochs: 3}\n"
    plan = plan_of(tmp_path, text, "search.trials=1", f"training.lr={RATES}")
    with Journal(tmp_path / "run") as journal:
        study = Study(plan, survey(plan), journal)
        tries = [next_of(study) for _ in range(5)]
        for one in tries[:4]:
            report(study, one, 50.0 + one.tuned["lr"])
        fail(study, tries[4])
        first = next_of(study)
        assert first.phase == "confirm"
        report(study, first, 50.0)
        assert study.retry([Status.FAILED]) == 1
        report(study, next_of(study), 1.0)
        rest = []
        while (started := study.next()) is not None:
            rest.append(started)
            report(study, started, 50.0)
    assert [one.tuned for one in rest] == [first.tuned] * 2
