"""Promoting ASHA against algorithm 2 of Li et al. (2020), as the paper writes it."""

from hypothesis import given, settings
from hypothesis import strategies as st

from search.schedulers.base import Decision
from search.schedulers.promotion import Promotion
from search.schema.metrics import Objective

ERROR = Objective("val_error", "minimize", "reported", "%")
EPOCHS, GRACE, REDUCTION = 30, 2, 3
RUNGS = (2, 6, 18)


class Paper:
    """get_job of the paper, on plain dictionaries; None is a new configuration."""

    def __init__(self) -> None:
        self.reached: list[dict[int, float]] = [{} for _ in RUNGS]
        self.promoted: list[set[int]] = [set() for _ in RUNGS]

    def get_job(self) -> tuple[int, int] | None:
        for k in reversed(range(len(RUNGS))):
            ranked = sorted(self.reached[k], key=lambda trial: self.reached[k][trial])
            best = ranked[: len(ranked) // REDUCTION]
            for trial in best:
                if trial not in self.promoted[k]:
                    self.promoted[k].add(trial)
                    return trial, k + 1
        return None


def drive(scheduler: Promotion, trial: int, begin: int, error: float) -> int:
    """Run a trial until it rests or ends; the epochs it has then."""
    for epoch in range(begin + 1, EPOCHS + 1):
        if scheduler.report(trial, epoch, {"val_error": error + 1 / epoch}) is Decision.PAUSE:
            return epoch
    return EPOCHS


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.lists(st.floats(0, 100), min_size=1, max_size=60, unique=True))
def test_it_promotes_what_the_paper_s_algorithm_promotes(errors: list[float]) -> None:
    ours = Promotion(
        epochs=EPOCHS, trials=10**6, objectives=[ERROR], grace=GRACE, reduction=REDUCTION
    )
    theirs, new, epochs = Paper(), 0, dict[int, int]()
    while True:
        job, resumed = theirs.get_job(), ours.resume()
        assert (job[0] if job else None) == resumed
        if job is None:
            if new == len(errors):
                break
            trial, rung, new = new, 0, new + 1
        else:
            trial, rung = job
            ours.resumed(trial)
        epochs[trial] = drive(ours, trial, epochs.get(trial, 0), errors[trial])
        if rung < len(RUNGS):
            assert epochs[trial] == RUNGS[rung]
            theirs.reached[rung][trial] = errors[trial] + 1 / RUNGS[rung]
        else:
            assert epochs[trial] == EPOCHS
            ours.ended(trial)


def test_of_too_few_to_halve_the_best_still_comes_to_its_end() -> None:
    """Two networks, and one in three goes on: without more, a search would end with nothing."""
    scheduler = Promotion(epochs=4, trials=2, objectives=[ERROR], grace=1, reduction=3)
    for trial, error in enumerate([20.0, 10.0]):
        assert scheduler.report(trial, 1, {"val_error": error}) is Decision.PAUSE
        expected = 1 if trial else None
        assert scheduler.resume() == expected
    scheduler.resumed(1)
    assert scheduler.resume() is None, "one at a time"
    scheduler.report(1, 2, {"val_error": 10.0})
    scheduler.ended(1)  # it failed
    assert scheduler.resume() == 0
