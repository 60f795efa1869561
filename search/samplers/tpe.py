"""Optuna's TPE among the candidates inside the budget."""

from dataclasses import dataclass

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


@dataclass(slots=True)
class _Begun:
    """A trial that was begun: its place in every dimension, and what became of it."""

    params: dict[str, int]
    outcome: Outcome | None = None
    trial: optuna.Trial | None = None  # once Optuna knows it, as a running one


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
        self._begun: list[_Begun] = []  # that Optuna has not heard of
        self._running: dict[int, _Begun] = {}  # by candidate
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
        self._hand_over()
        self._study.sampler = optuna.samplers.TPESampler(
            n_startup_trials=0, seed=seed_of(self._seed, "tpe", trial)
        )
        draw = self._study.ask(self._distributions)
        self._study.tell(draw, state=TrialState.FAIL)  # a draw is no trial: TPE leaves it out
        return self._nearest_left(np.array([draw.params[name] for name in self._distributions]))

    def take(self, candidate: int) -> None:
        """Note a running trial, so that proposals beside it keep their distance."""
        self._taken[candidate] = True
        self._startup.take(candidate)
        params = dict(zip(self._distributions, map(int, self._indices[candidate]), strict=True))
        begun = self._running[candidate] = _Begun(params)
        self._begun.append(begun)

    def tell(self, candidate: int, outcome: Outcome) -> None:
        """Note the truth: complete, pruned at its rung, or failed."""
        begun = self._running.pop(candidate)
        begun.outcome = outcome
        self._learned += outcome.state != "failed" and bool(outcome.values)
        if begun.trial is not None:
            state, values, rungs = self._told(outcome)
            for epochs, value in rungs.items():
                begun.trial.report(value, epochs)
            self._study.tell(begun.trial, values, state=state)

    def _hand_over(self) -> None:
        """Tell Optuna what was begun since, in that order; what has ended, in one piece."""
        for begun in self._begun:
            if begun.outcome is None:
                self._study.enqueue_trial(begun.params)
                begun.trial = self._study.ask(self._distributions)
                continue
            state, values, rungs = self._told(begun.outcome)
            ended = optuna.trial.create_trial(
                state=state,
                values=values,
                params=begun.params,
                distributions=self._distributions,
                intermediate_values=rungs,
                system_attrs={"fixed_params": begun.params},
            )
            self._study.add_trial(ended)
        self._begun.clear()

    def _told(
        self, outcome: Outcome
    ) -> tuple[TrialState, list[float] | None, dict[int, float]]:
        """What Optuna is told: a state, values of a complete trial, those of a pruned one."""
        if outcome.state == "failed" or not outcome.values:
            return TrialState.FAIL, None, {}
        if outcome.state == "complete":
            return TrialState.COMPLETE, list(outcome.values), {}
        # Of several objectives Optuna takes no values of a rung.
        rungs = {outcome.epochs: outcome.values[0]} if self._single else {}
        return TrialState.PRUNED, None, rungs

    def _nearest_left(self, index: npt.NDArray[np.intp]) -> int:
        assert self._tree is not None, "there is a dimension to draw from"
        neighbours = 1
        while True:
            _, found = self._tree.query(index / self._scale, k=neighbours)
            for candidate in np.atleast_1d(found):
                if candidate < len(self._taken) and not self._taken[candidate]:
                    return int(candidate)
            neighbours = min(2 * neighbours, len(self._taken))
