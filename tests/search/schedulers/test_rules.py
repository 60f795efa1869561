"""HyperBand, the median rule and the first-epoch baseline against their rules written out."""

import statistics

from hypothesis import given, settings
from hypothesis import strategies as st

from search.schedulers.asha import Asha
from search.schedulers.base import Decision
from search.schedulers.hyperband import Hyperband, shares_of
from search.schedulers.median import Median
from search.schedulers.one_epoch import OneEpoch
from search.schema.metrics import COUNTED, Objective
from tests.search.schedulers.test_ranks import keys

ERROR = Objective("val_error", "minimize", "reported", "%")
EPOCHS = 9
CURVES = st.lists(
    st.lists(st.floats(0, 100), min_size=EPOCHS, max_size=EPOCHS), min_size=1, max_size=14
)


def errors_of(curve: list[float], epoch: int) -> dict[str, float]:
    return {"val_error": curve[epoch - 1]}


def test_shares_are_those_of_the_hyperband_paper() -> None:
    """R = 81 and eta = 3 of its table 1: 81, 34, 15, 8 and 5 networks, before rounding up."""
    shares = shares_of([4, 3, 2, 1, 0], 3)
    networks = [81.0, 33.75, 15.0, 7.5, 5.0]
    assert shares == [one / sum(networks) for one in networks]


def test_networks_are_dealt_by_these_shares_whenever_one_looks() -> None:
    hyperband = Hyperband(epochs=81, trials=1, objectives=[ERROR], brackets=4)
    shares = shares_of([4, 3, 2, 1], 3)
    for trial in range(300):
        hyperband.report(trial, 2, {"val_error": 1.0})  # no rung: it is dealt, and no more
        for had, share in zip(hyperband._dealt, shares, strict=True):
            assert abs(had - share * (trial + 1)) < 1 + 1e-9


@settings(max_examples=30, deadline=None, derandomize=True)
@given(CURVES)
def test_each_bracket_is_an_asha_of_its_own(curves: list[list[float]]) -> None:
    hyperband = Hyperband(epochs=EPOCHS, trials=14, objectives=[ERROR], reduction=2, brackets=3)
    ashas = [
        Asha(epochs=EPOCHS, objectives=[ERROR], grace=grace, reduction=2) for grace in (1, 2, 4)
    ]
    for trial, curve in enumerate(curves):
        before = list(hyperband._dealt)
        stopped = False
        for epoch in range(1, EPOCHS + 1):
            decision = hyperband.report(trial, epoch, errors_of(curve, epoch))
            dealt = [now - then for now, then in zip(hyperband._dealt, before, strict=True)]
            asha = ashas[dealt.index(1)]
            assert decision is asha.report(trial, epoch, errors_of(curve, epoch))
            stopped = decision is Decision.STOP
            if stopped:
                break


@settings(max_examples=50, deadline=None, derandomize=True)
@given(CURVES, st.integers(1, 4), st.integers(1, 4))
def test_the_median_rule_stops_what_its_definition_stops(
    curves: list[list[float]], grace: int, at_least: int
) -> None:
    """All trials side by side, an epoch each in turn."""
    rule = Median(epochs=EPOCHS, trials=1, objectives=[ERROR], grace=grace, at_least=at_least)
    running = list(range(len(curves)))
    for epoch in range(1, EPOCHS + 1):
        averages: list[float] = []
        for trial in list(running):
            reported = curves[trial][:epoch]
            stop = (
                grace <= epoch < EPOCHS
                and len(averages) >= at_least
                and min(reported) > statistics.median(averages)
            )
            decision = rule.report(trial, epoch, errors_of(curves[trial], epoch))
            assert (decision is Decision.STOP) == stop
            averages.append(sum(reported) / epoch)
            if stop:
                running.remove(trial)


def test_the_median_rule_with_two_objectives() -> None:
    """Small and bad, large and good: both stay. Large and bad goes."""
    rule = Median(epochs=3, trials=1, objectives=[ERROR, COUNTED["params"]], at_least=2)
    for trial, (error, params) in enumerate([(10, 90), (20, 50), (40, 10)]):
        said = rule.report(trial, 1, {"val_error": error, "params": params})
        assert said is Decision.CONTINUE
    assert rule.report(3, 1, {"val_error": 50, "params": 95}) is Decision.STOP


ROWS = st.lists(
    st.tuples(st.integers(0, 30).map(float), st.integers(0, 30).map(float)),
    min_size=2, max_size=16,
)  # fmt: skip


@settings(max_examples=40, deadline=None, derandomize=True)
@given(ROWS, st.integers(1, 2), st.integers(1, 4))
def test_the_best_of_the_first_epoch_go_on(
    rows: list[tuple[float, float]], count: int, keep: int
) -> None:
    objectives = [ERROR, COUNTED["params"]][:count]
    scheduler = OneEpoch(epochs=5, trials=len(rows), objectives=objectives, keep=keep)
    for trial, (error, params) in enumerate(rows):
        assert scheduler.resume() is None, "not before all were seen"
        said = scheduler.report(trial, 1, {"val_error": error, "params": params})
        assert said is Decision.PAUSE
    gone = []
    while (trial_ := scheduler.resume()) is not None:
        scheduler.resumed(trial_)
        gone.append(trial_)
    defined = keys([row[:count] for row in rows])
    best = sorted(range(len(rows)), key=lambda i: (defined[i], i))[:keep]
    assert [defined[i] for i in gone] == [defined[i] for i in best]
    if len(rows) > keep:
        scheduler.ended(gone[0])  # before its end: it failed, and the next has its place
        assert scheduler.resume() not in (None, *gone)


def test_a_tenth_goes_on_where_nothing_is_said() -> None:
    for trials, kept in ((1, 1), (9, 1), (30, 3)):
        scheduler = OneEpoch(epochs=5, trials=trials, objectives=[ERROR])
        for trial in range(trials):
            scheduler.report(trial, 1, {"val_error": float(trial)})
        for trial in range(kept):
            assert scheduler.resume() == trial
            scheduler.resumed(trial)
        assert scheduler.resume() is None
