"""Early stopping decides as Ray Tune's scheduler of the same rule does."""

from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search.schedulers.asha import Rungs

ERRORS = st.floats(0, 100) | st.sampled_from([0.0, 1.0, 2.0])  # ties are decided alike, too

schedulers = pytest.importorskip("ray.tune.schedulers")


@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    st.integers(1, 4),
    st.integers(2, 4),
    st.lists(st.lists(ERRORS, min_size=30, max_size=30), min_size=1, max_size=12),
)
def test_the_same_trials_are_stopped(
    grace: int, reduction: int, errors: list[list[float]]
) -> None:
    epochs = 30
    ours = Rungs(grace=grace, reduction=reduction, epochs=epochs)
    theirs = schedulers.AsyncHyperBandScheduler(
        time_attr="epoch", metric="error", mode="min", max_t=epochs, grace_period=grace,
        reduction_factor=reduction,
    )  # fmt: skip
    for number, of_trial in enumerate(errors):
        trial = SimpleNamespace(trial_id=str(number))
        theirs.on_trial_add(None, trial)
        for epoch, error in enumerate(of_trial[:-1], 1):
            decision = theirs.on_trial_result(None, trial, {"epoch": epoch, "error": error})
            stop = ours.report(epoch, error)
            assert stop == (decision == "STOP"), (number, epoch)
            if stop:
                break


def test_the_first_to_reach_a_rung_goes_on() -> None:
    rungs = Rungs(grace=2, reduction=3, epochs=10)
    assert not rungs.report(2, 99.0)
    assert rungs.report(2, 99.5)
    assert not rungs.report(2, 10.0)


def test_nothing_is_stopped_between_rungs_or_at_the_end() -> None:
    rungs = Rungs(grace=2, reduction=3, epochs=6)
    rungs.report(2, 1.0)
    assert not any(rungs.report(epoch, 99.0) for epoch in (1, 3, 4, 5, 6))
