"""Early stopping decides as Ray Tune's scheduler of the same rule does."""

from types import SimpleNamespace

from hypothesis import given, settings
from hypothesis import strategies as st
from ray.tune import schedulers

from search.schedulers.asha import Asha
from search.schedulers.base import Decision
from search.schema.metrics import Objective

ERRORS = st.floats(0, 100) | st.sampled_from([0.0, 1.0, 2.0])  # ties are decided alike, too

ERROR = Objective("val_error", "minimize", "reported", "%")


def asha(objective: Objective = ERROR, **keys: int) -> Asha:
    return Asha(objectives=[objective], **keys)


def stops(scheduler: Asha, epoch: int, error: float) -> bool:
    return scheduler.report(0, epoch, {"val_error": error}) is Decision.STOP


@settings(max_examples=20, deadline=None, derandomize=True)
@given(
    st.integers(1, 4),
    st.integers(2, 4),
    st.lists(st.lists(ERRORS, min_size=30, max_size=30), min_size=1, max_size=12),
)
def test_the_same_trials_are_stopped(
    grace: int, reduction: int, errors: list[list[float]]
) -> None:
    epochs = 30
    ours = asha(grace=grace, reduction=reduction, epochs=epochs)
    theirs = schedulers.AsyncHyperBandScheduler(
        time_attr="epoch", metric="error", mode="min", max_t=epochs, grace_period=grace,
        reduction_factor=reduction,
    )  # fmt: skip
    for number, of_trial in enumerate(errors):
        trial = SimpleNamespace(trial_id=str(number))
        theirs.on_trial_add(None, trial)
        for epoch, error in enumerate(of_trial[:-1], 1):
            decision = theirs.on_trial_result(None, trial, {"epoch": epoch, "error": error})
            stop = stops(ours, epoch, error)
            assert stop == (decision == "STOP"), (number, epoch)
            if stop:
                break


def test_the_first_to_reach_a_rung_goes_on() -> None:
    rungs = asha(grace=2, reduction=3, epochs=10)
    assert not stops(rungs, 2, 99.0)
    assert stops(rungs, 2, 99.5)
    assert not stops(rungs, 2, 10.0)


def test_of_a_metric_to_maximise_the_low_ones_are_stopped() -> None:
    rungs = asha(ERROR._replace(direction="maximize"), grace=2, reduction=3, epochs=10)
    assert not stops(rungs, 2, 10.0)
    assert stops(rungs, 2, 9.5)
    assert not stops(rungs, 2, 99.0)


def test_nothing_is_stopped_between_rungs_or_at_the_end() -> None:
    rungs = asha(grace=2, reduction=3, epochs=6)
    stops(rungs, 2, 1.0)
    assert not any(stops(rungs, epoch, 99.0) for epoch in (1, 3, 4, 5, 6))
