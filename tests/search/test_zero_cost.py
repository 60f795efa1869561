"""Scores of untrained networks in a study: reported, and as a rung before the first epoch."""

import math
from pathlib import Path
from typing import Any

import pytest

from analysis.runs.run import read_run
from search import run_study
from search.result import StudyResult
from search.schema.yaml import ConfigError
from search.schema.zero_cost import ZeroCost
from search.space.load import load_space
from search.space.resolve import resolve
from search.study.events import Ended, Epoch, Measured, Started, Status, Turn
from search.study.first_rung import FirstRung
from search.study.journal import Journal, read
from search.study.study import Study
from tests.search.spaces import started_fields

SPACE: dict[str, Any] = {
    "study": "scored",
    "network": {"skeleton": "cifar", "planes": 2, "depth": [11, 20], "width": 2},
    "data": {"name": "digits", "validation": 300, "train": 100},
    "training": {"epochs": 1, "batch_size": 50, "precision": "fp32", "lr": 0.1},
    "search": {"sampler": "grid"},
}
MORE = SPACE["network"] | {"depth": 11, "scale": [1, 2, 3], "width": [1, 2]}
RUNG = {"scores": ["naswot"], "keep": "50%", "by": "naswot", "after": 2}
RANDOM = {"sampler": "random", "trials": 6, "seed": 4}


LISTED = """\
study: listed
network: {skeleton: cifar, planes: 2, depth: 11, width: [1, 2, 3, 4, 5, 6]}
data: {name: digits, validation: 300, train: 100}
training: {epochs: 2, batch_size: 50}
search: {sampler: random, trials: 6}
zero_cost: {scores: [naswot], keep: 25%, by: naswot, after: 1}
"""


def run(space: dict[str, Any], folder: Path, **more: Any) -> StudyResult:
    return run_study(space, out=folder / "run", inline=True, **more)


def measured_in(folder: Path) -> list[Measured]:
    return [one for one in read(folder / "run") if isinstance(one, Measured)]


def expected(values: list[float], *, share: float, after: int) -> list[bool]:
    """Which networks are trained, said plainly: among the best share of those up to it."""
    trained = []
    for n, value in enumerate(values, 1):
        rank = sorted(values[:n], reverse=True).index(value)
        trained.append(n <= after or rank < math.ceil(share * n))
    return trained


@pytest.mark.parametrize(
    ("share", "scored", "kept"), [(0.28, 25, 7), (0.07, 100, 7), (0.3, 25, 8)]
)
def test_a_share_of_networks_is_counted_as_on_paper(
    share: float, scored: int, kept: int
) -> None:
    """28 % of 25 are 7, though 0.28 * 25 is a little more in floats; of 7.5 they are 8."""
    rung = FirstRung(ZeroCost(keep=share, by="params", after=1))
    last = kept + 1  # the best, and this one is the last of all to be scored
    for trial in [*(n for n in range(1, scored + 1) if n != last), last]:
        started = Started(**started_fields(trial=trial, params=1000 - trial))
        values = Measured(
            trial=trial, values={}, low={}, high={}, passes={}, place={}, alone=None,
            others=None, first=trial,
        )  # fmt: skip
        rung.note(started, values)
    assert f"is number {last} of the {scored} networks" in rung.reason(last)
    assert f"the best {kept} " in rung.reason(last)


def test_scores_are_noted_and_training_is_the_same_to_the_bit(tmp_path: Path) -> None:
    search = {"sampler": "grid", "seeds": 2}
    plain = run(SPACE | {"search": search}, tmp_path / "plain")
    scored = run(SPACE | {"search": search, "zero_cost": {}}, tmp_path / "scored")
    assert len(plain.trials) == 4
    for one, other in zip(plain.trials, scored.trials, strict=True):
        assert (one.name, one.started.seed) == (other.name, other.started.seed)
        assert one.metrics == other.metrics
    epochs = (
        [one.metrics for one in read(tmp_path / which / "run") if isinstance(one, Epoch)]
        for which in ("plain", "scored")
    )
    assert next(epochs) == next(epochs)
    assert not measured_in(tmp_path / "plain")
    noted = measured_in(tmp_path / "scored")
    assert len(noted) == 4
    table = read_run(tmp_path / "scored" / "run").trials
    assert "measured_alone" not in table
    for name in ("synflow", "naswot", "grad_norm"):
        assert table[name].tolist() == [one.values[name] for one in noted]
        assert table[f"{name}_seconds"].tolist() == [one.seconds[name] for one in noted]
        assert table[name].nunique() == 4, "each seed has weights of its own"


def test_networks_that_score_low_are_not_trained(tmp_path: Path) -> None:
    space = SPACE | {
        "network": MORE,
        "zero_cost": RUNG,
        "search": RANDOM | {"seeds": 2},
    }
    result = run(space, tmp_path)
    assert result.finished
    assert result.exit_code == 0
    firsts = [one for one in result.trials if not one.started.repeat]
    values = [one.measured.values["naswot"] for one in firsts if one.measured]
    said = [one.ended.status is Status.OK for one in firsts if one.ended]
    assert said == expected(values, share=0.5, after=2)
    assert not all(said)
    for one in firsts:
        assert one.ended is not None
        if one.ended.status is not Status.OK:
            assert one.ended.status is Status.REJECTED
            assert one.ended.epochs == 0
            assert "naswot" in one.ended.reason
            assert "networks scored so far, and the best" in one.ended.reason
    repeats = [one for one in result.trials if one.started.repeat]
    assert len(repeats) == sum(said), "those that are not trained have no other seed"
    shown = read_run(tmp_path / "run")
    assert shown.finished
    assert "networks were not among the best by naswot and not trained" in shown.banner()


class CrashError(Exception):
    """What ends a study between two events."""


@pytest.mark.slow
def test_a_stop_changes_no_decision(tmp_path: Path) -> None:
    """Killed after every event in turn, it comes to the same as in one go."""
    space = SPACE | {
        "network": MORE,
        "zero_cost": RUNG,
        "search": RANDOM,
    }
    whole = [
        (one.name, one.ended and one.ended.status) for one in run(space, tmp_path / "a").trials
    ]
    stops = 0

    def crash(_event: object) -> None:
        raise CrashError

    while True:
        try:
            result = run(space, tmp_path / "b", on_event=crash if stops < 12 else None)
        except CrashError:
            stops += 1
        else:
            break
    assert stops >= 6
    assert [(one.name, one.ended and one.ended.status) for one in result.trials] == whole
    assert Status.REJECTED in [status for _, status in whole]


def written(folder: Path, **zero_cost: Any) -> tuple[Any, Any]:
    path = folder / "space.yaml"
    path.write_text(LISTED, encoding="utf-8")
    overrides = [f"zero_cost.{key}={value}" for key, value in zero_cost.items()]
    return resolve(*load_space(path, overrides))


def scored(started: Started, value: float | None) -> Turn:
    values = {} if value is None else {"naswot": value}
    one = Measured(
        trial=started.trial, values=values, low={}, high={}, passes={}, place={"device": "cpu"},
        alone=None, others=None, first=started.trial, seconds={"naswot": 0.1},
    )  # fmt: skip
    return Turn(trial=started.trial, share=0.0, seconds=0.0, measured=one)


def test_a_network_is_held_against_those_before_it_in_the_journal(tmp_path: Path) -> None:
    """A crash between a score and its verdict, and what others score meanwhile, are no matter.

    Judged with the later scores, the second network would be the best of a quarter of five.
    """
    plan, survey = written(tmp_path)
    with Journal(tmp_path) as journal:
        study = Study(plan, survey, journal)
        trials = [study.next() for _ in range(5)]
        starts = [one for one in trials if one is not None]
        assert not study.turned(scored(starts[0], 9.0))
        journal.append(scored(starts[1], 5.0).measured)  # killed before it was judged
        for place, value in ((2, 1.0), (3, 2.0), (4, None)):
            journal.append(scored(starts[place], value).measured)
    with Journal(tmp_path) as journal:
        study = Study(plan, survey, journal)
        ends = {}
        for one in (starts[4], starts[3], starts[1], starts[2]):
            value = {2: 1.0, 3: 2.0, 4: None}.get(one.trial, 5.0)
            assert study.turned(scored(one, value)), "not among the best"
            ends[one.trial] = study.history.ends[one.trial]
        assert "number 2 of the 2 networks" in ends[1].reason
        assert "number 4 of the 4 networks" not in ends[4].reason
        assert "has none" in ends[4].reason
        assert all(end.status is Status.REJECTED for end in ends.values())
        assert study.left() == 2
    notes = [one for one in read(tmp_path) if isinstance(one, (Measured, Ended))]
    assert len([one for one in notes if isinstance(one, Measured)]) == 5, "none is noted twice"


def test_a_baseline_may_decide(tmp_path: Path) -> None:
    plan, survey = written(tmp_path, by="macs", keep="40%")
    with Journal(tmp_path) as journal:
        study = Study(plan, survey, journal)
        macs, kept = [], []
        while (started := study.next()) is not None:
            macs.append(float(started.macs))
            kept.append(not study.turned(scored(started, 1.0)))
            if kept[-1]:
                study.end(
                    Ended(trial=started.trial, status=Status.FAILED, reason="of no matter")
                )
    assert kept == expected(macs, share=0.4, after=1)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"zero_cost": {"scores": ["jacov"]}}, "write any of synflow, naswot, grad_norm"),
        ({"zero_cost": {"scores": ["macs"]}}, "is counted and shown beside every score anyway"),
        ({"zero_cost": {"scores": []}}, "write any of synflow"),
        ({"zero_cost": RUNG | {"by": "synflow"}}, "not among scores; add it there"),
        ({"zero_cost": RUNG | {"by": "speed"}}, "is not a score; write one of synflow"),
        ({"zero_cost": RUNG | {"keep": 0}}, "above 0 and below 100%"),
        ({"zero_cost": RUNG | {"keep": "100%"}}, "above 0 and below 100%"),
        ({"zero_cost": {"keep": "25%"}}, "has keep but not by; write by: synflow"),
        ({"zero_cost": {"by": "naswot"}}, "has by but not keep; write keep: 25%"),
        ({"zero_cost": {"after": 5}}, "does nothing without keep; write keep: 25% and by"),
        ({"zero_cost": RUNG, "search": {"sampler": "grid"}}, "begins with the smallest"),
        ({"zero_cost": RUNG | {"after": 2}}, "leaves none of search.trials 2"),
        ({"zero_cost": {}, "execution": "replay"}, "a replay builds none"),
        (
            {
                "zero_cost": RUNG,
                "search": {"sampler": "tpe", "trials": 2, "ordered": True, "concurrency": 1},
            },
            "only the order of proposals",
        ),
    ],
)
def test_what_cannot_be_scored_is_said_before_anything_runs(
    changes: dict[str, Any], said: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=said) as caught:
        run(SPACE | {"search": {"sampler": "random", "trials": 2}} | changes, tmp_path)
    assert "zero_cost" in str(caught.value)
    assert not (tmp_path / "run").exists()
