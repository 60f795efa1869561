"""Optuna's TPE among the candidates inside the budget."""

import numpy as np
import numpy.typing as npt
import optuna
from optuna.trial import TrialState
from scipy.spatial import KDTree

from search.samplers.base import Outcome, SpaceExhausted
from search.samplers.ordered import random
from search.schema.metrics import Objective
from search.schema.seeds import seed_of
from search.space.survey import Survey

# TPE needs something to split into good and bad: its own default, taken uniformly from the
# candidates inside the budget instead of from the box around them.
_STARTUP_TRIALS = 10


class Tpe:
    """Optuna's TPE over the dimensions, each draw moved to the nearest candidate left.

    TPE knows nothing of the budget, and sampling until a draw lies inside takes hundreds of
    draws in a narrow band. So one draw is made in the box of all dimensions, moved to the
    nearest untaken candidate (each dimension scaled to the unit interval by rank), and Optuna
    is told the candidate that was really tried.
    """

    def __init__(self, survey: Survey, *, seed: int, objectives: tuple[Objective, ...]) -> None:
        self._survey = survey
        self._seed = seed
        self._single = len(objectives) == 1
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
        self._study = optuna.create_study(
            directions=[objective.direction for objective in objectives]
        )

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

    def tell(self, candidate: int, outcome: Outcome) -> None:
        """Tell Optuna the truth: complete, pruned at its rung, or failed."""
        trial = self._live.pop(candidate)
        if outcome.state == "failed" or not outcome.values:
            self._study.tell(trial, state=TrialState.FAIL)
            return
        self._learned += 1
        if outcome.state == "complete":
            self._study.tell(trial, list(outcome.values))
            return
        if self._single:  # of several objectives Optuna takes no values of a rung
            trial.report(outcome.values[0], outcome.epochs)
        self._study.tell(trial, state=TrialState.PRUNED)

    def _nearest_left(self, index: npt.NDArray[np.intp]) -> int:
        assert self._tree is not None, "there is a dimension to draw from"
        neighbours = 1
        while True:
            _, found = self._tree.query(index / self._scale, k=neighbours)
            for candidate in np.atleast_1d(found):
                if candidate < len(self._taken) and not self._taken[candidate]:
                    return int(candidate)
            neighbours = min(2 * neighbours, len(self._taken))
