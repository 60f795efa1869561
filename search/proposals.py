"""Which candidate to try next: only ever one inside the budget, never one twice.

Every sampler chooses among the candidates of a `Survey`, so nothing else can be proposed.
Its position is a function of what was tried and of (study seed, trial), so that it can be
rebuilt from the journal and continues as if it had never stopped.
"""

from collections.abc import Callable, Mapping
from typing import Protocol

import numpy as np
import numpy.typing as npt
import optuna
from optuna.trial import TrialState
from scipy.spatial import KDTree

from search.records import Ended, Status
from search.seeds import seed_of
from search.space import Survey

# TPE needs something to split into good and bad: its own default, taken uniformly from the
# candidates inside the budget instead of from the box around them.
_STARTUP_TRIALS = 10

_STATES = {
    Status.OK: TrialState.COMPLETE,
    Status.PRUNED: TrialState.PRUNED,
    Status.DIVERGED: TrialState.FAIL,
    Status.OUT_OF_MEMORY: TrialState.FAIL,
    Status.FAILED: TrialState.FAIL,
}


class Sampler(Protocol):
    """Chooses candidates; one that was taken is never proposed."""

    def propose(self, trial: int) -> int:
        """The candidate of search trial number `trial`; it is not taken by this.

        Raises:
            SpaceExhausted: every candidate is taken.
        """

    def take(self, candidate: int) -> None:
        """Note that a candidate is being tried (now, or before a stop)."""

    def tell(self, candidate: int, ended: Ended) -> None:
        """Note how the trial of a taken candidate ended."""


class SpaceExhausted(Exception):  # noqa: N818 - an end, not an error
    """Every candidate was tried."""


class Ordered:
    """Walks the candidates in a fixed order, leaving out those that were taken."""

    def __init__(self, order: npt.NDArray[np.intp]) -> None:
        self._order = order
        self._next = 0
        self.taken = np.zeros(len(order), dtype=bool)

    def propose(self, trial: int) -> int:  # noqa: ARG002 - what is left says it all
        """The first in the order that is not taken."""
        while self._next < len(self._order) and self.taken[self._order[self._next]]:
            self._next += 1
        if self._next == len(self._order):
            raise SpaceExhausted
        return int(self._order[self._next])

    def take(self, candidate: int) -> None:
        """Leave a candidate out from now on."""
        self.taken[candidate] = True

    def tell(self, candidate: int, ended: Ended) -> None:
        """Results change nothing here."""


def grid(survey: Survey, *, seed: int, objectives: tuple[str, ...]) -> Sampler:  # noqa: ARG001
    """All candidates, cheapest first, so that a stopped study holds the small ones."""
    return Ordered(np.argsort(survey.costs.macs, kind="stable"))


def axes(survey: Survey, *, seed: int, objectives: tuple[str, ...]) -> Sampler:  # noqa: ARG001
    """As `grid`, the base before all others: without it there is nothing to compare with."""
    order = np.argsort(survey.costs.macs, kind="stable")
    return Ordered(np.concatenate([order[order == survey.base], order[order != survey.base]]))


def random(survey: Survey, *, seed: int, objectives: tuple[str, ...]) -> Sampler:  # noqa: ARG001
    """Uniform over the candidates inside the budget, without repetition."""
    return Ordered(np.random.default_rng(seed_of(seed, "order")).permutation(len(survey)))


class Tpe:
    """Optuna's TPE over the dimensions, each draw moved to the nearest candidate left.

    TPE knows nothing of the budget, and sampling until a draw lies inside takes hundreds of
    draws in a narrow band. So one draw is made in the box of all dimensions, moved to the
    nearest untaken candidate (each dimension scaled to the unit interval by rank), and Optuna
    is told the candidate that was really tried.
    """

    def __init__(self, survey: Survey, *, seed: int, objectives: tuple[str, ...]) -> None:
        self._survey = survey
        self._seed = seed
        self._objectives = objectives
        self._startup = random(survey, seed=seed, objectives=objectives)
        self._taken = np.zeros(len(survey), dtype=bool)
        self._learned = 0
        self._live: dict[int, optuna.Trial] = {}
        self._varied = [i for i, d in enumerate(survey.dimensions) if len(d.values) > 1]
        self._indices = survey.indices()[:, self._varied]
        self._scale = np.array([len(survey.dimensions[i].values) - 1 for i in self._varied])
        self._tree = KDTree(self._indices / self._scale) if self._varied else None
        self._distributions: dict[str, optuna.distributions.BaseDistribution] = {
            survey.dimensions[i].name: optuna.distributions.IntDistribution(
                0, len(survey.dimensions[i].values) - 1
            )
            for i in self._varied
        }
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._study = optuna.create_study(directions=["minimize"] * len(objectives))

    def propose(self, trial: int) -> int:
        """A candidate near to TPE's draw; the first few uniformly from those inside."""
        if self._taken.all():
            raise SpaceExhausted
        if self._learned < _STARTUP_TRIALS or self._tree is None:
            return self._startup.propose(trial)
        self._study.sampler = optuna.samplers.TPESampler(
            n_startup_trials=0, seed=seed_of(self._seed, "tpe", trial)
        )
        draw = self._study.ask(self._distributions)
        self._study.tell(draw, state=TrialState.FAIL)  # a draw is no trial: TPE leaves it out
        return self._nearest_left(np.array([draw.params[name] for name in self._distributions]))

    def take(self, candidate: int) -> None:
        """Enter a running trial, so that proposals beside it keep their distance."""
        self._taken[candidate] = True
        self._startup.take(candidate)
        params = dict(zip(self._distributions, map(int, self._indices[candidate]), strict=True))
        self._study.enqueue_trial(params)
        self._live[candidate] = self._study.ask(self._distributions)

    def tell(self, candidate: int, ended: Ended) -> None:
        """Tell Optuna the truth: complete, pruned at its rung, or failed."""
        trial = self._live.pop(candidate)
        state = _STATES[ended.status]
        if state is TrialState.FAIL or ended.val_error is None:
            self._study.tell(trial, state=TrialState.FAIL)
            return
        self._learned += 1
        if state is TrialState.PRUNED:
            trial.report(ended.val_error, ended.epochs)
            self._study.tell(trial, state=state)
            return
        amounts = {"val_error": ended.val_error, **self._survey.cost(candidate)._asdict()}
        self._study.tell(trial, [amounts[name] for name in self._objectives])

    def _nearest_left(self, index: npt.NDArray[np.intp]) -> int:
        assert self._tree is not None, "there is a dimension to draw from"
        neighbours = 1
        while True:
            _, found = self._tree.query(index / self._scale, k=neighbours)
            for candidate in np.atleast_1d(found):
                if candidate < len(self._taken) and not self._taken[candidate]:
                    return int(candidate)
            neighbours = min(2 * neighbours, len(self._taken))


SAMPLERS: Mapping[str, Callable[..., Sampler]] = {
    "axes": axes,
    "grid": grid,
    "random": random,
    "tpe": Tpe,
}
