"""An Optuna sampler, each of whose draws is moved to the nearest candidate left.

Optuna is told the candidate that was actually tried, with its true outcome, and nothing of a
draw that was moved: a draw is recorded as a failed trial, which Optuna's samplers ignore.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import optuna
from optuna.trial import TrialState

from search.samplers.base import Outcome, Sampler
from search.samplers.points import Points
from search.samplers.prior import Belief
from search.schema.metrics import Objective
from search.schema.seeds import seed_of


@dataclass(slots=True)
class _Begun:
    """A trial that was begun: its index in every dimension, and its outcome."""

    params: dict[str, int]
    notes: dict[str, Any] = field(default_factory=dict)  # left by the sampler on its draw
    outcome: Outcome | None = None
    number: int | None = None  # set once Optuna knows it as a running trial


class Drawn:
    """Draws with an Optuna sampler in the box of all dimensions.

    The sampler is made anew for each draw, from (study seed, trial), and knows the trials so
    far: so it continues unchanged after a stop.

    Args:
        points: the candidates inside the budget.
        seed: seed of the study.
        objectives: what is minimised or maximised.
        make: makes the sampler from a seed.
        startup: proposes the first networks, until there are results to learn from.
        first: number of networks that it learned from, from which on draws are made.
        from_stopped: whether it learns from trials that were stopped early, too.
        keeps_notes: whether the sampler leaves notes on its draws that it needs later; they
            are recomputed after a stop.
        belief: where good networks are expected; None for no such belief.
    """

    def __init__(  # noqa: PLR0913 - all by keyword, and of different kinds
        self,
        points: Points,
        *,
        seed: int,
        objectives: Sequence[Objective],
        make: Callable[[int], optuna.samplers.BaseSampler],
        startup: Sampler,
        first: int,
        from_stopped: bool = False,
        keeps_notes: bool = False,
        belief: Belief | None = None,
    ) -> None:
        self._points, self._seed, self._make = points, seed, make
        self._startup, self._first, self._keeps_notes = startup, first, keeps_notes
        self._belief, self._single = belief, len(objectives) == 1
        self._learned, self._taken = 0, 0
        self._from_stopped = from_stopped
        self._begun: list[_Begun] = []  # not yet handed to Optuna
        self._running: dict[int, _Begun] = {}  # by candidate
        self._drawn: tuple[dict[str, int], dict[str, Any]] | None = None  # of the next trial
        self._distributions: dict[str, optuna.distributions.BaseDistribution] = {
            each.name: optuna.distributions.IntDistribution(0, len(each.values) - 1)
            for each in self._points.dimensions
        }
        self._lengths = np.array([len(each.values) - 1 for each in self._points.dimensions])
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._study = optuna.create_study(
            directions=[objective.direction for objective in objectives]
        )

    def propose(self, trial: int) -> int:
        """A candidate near the sampler's draw; the first few uniform inside the budget.

        Args:
            trial: number of networks tried before.

        Raises:
            SpaceExhausted: every candidate is taken.
        """
        self._points.require_left()
        if not self._distributions or self._learned < self._first:
            return self._startup.propose(trial)
        params, _ = self._draw()
        point = np.array([params[name] for name in self._distributions]) / self._lengths
        if self._belief is None:
            return self._points.nearest_left(point)
        return self._belief.nearest(point, self._points, trial)

    def take(self, candidate: int) -> None:
        """Note a running trial, so that simultaneous proposals keep their distance."""
        notes: dict[str, Any] = {}
        if self._keeps_notes and self._distributions:
            _, notes = self._draw()
        self._drawn = None
        self._taken += 1
        self._points.take(candidate)
        self._startup.take(candidate)
        indices = map(int, self._points.indices[candidate])
        params = dict(zip(self._distributions, indices, strict=True))
        begun = self._running[candidate] = _Begun(params, notes)
        self._begun.append(begun)
        if self._keeps_notes:
            self._hand_over()

    def tell(self, candidate: int, outcome: Outcome) -> None:
        """Note how a trial ended: complete, pruned at its rung, or failed."""
        begun = self._running.pop(candidate)
        begun.outcome = outcome
        stopped = outcome.state == "pruned" and bool(outcome.values)
        self._learned += outcome.state == "complete" or (stopped and self._from_stopped)
        if begun.number is not None:
            state, values, rungs = self._told(outcome)
            frozen = self._study.get_trials(deepcopy=False)[begun.number]
            running = optuna.Trial(self._study, frozen._trial_id)
            for epochs, value in rungs.items():
                running.report(value, epochs)
            self._study.tell(begun.number, values, state=state)

    def _draw(self) -> tuple[dict[str, int], dict[str, Any]]:
        """The sampler's draw for the next trial, and the notes that it left on it."""
        if self._drawn is None:
            self._hand_over()
            self._study.sampler = self._sampler()
            asked = self._study.ask(self._distributions)
            notes = dict(self._study.get_trials(deepcopy=False)[asked.number].system_attrs)
            self._study.tell(asked, state=TrialState.FAIL)  # a draw is not a trial
            self._drawn = dict(asked.params), notes
        return self._drawn

    def _sampler(self) -> optuna.samplers.BaseSampler:
        """The sampler of the next draw."""
        sampler = self._make(seed_of(self._seed, "draw", self._taken))
        if self._first:
            # All trials have all dimensions; a new sampler would search them all to find that
            # out.
            sampler.infer_relative_search_space = (  # type: ignore[method-assign]
                lambda study, trial: dict(self._distributions)  # noqa: ARG005 - Optuna's
            )
        return sampler

    def _hand_over(self) -> None:
        """Pass new trials to Optuna in the order they began; ended ones with their results."""
        for begun in self._begun:
            state, values, rungs = self._told(begun.outcome)
            if begun.outcome is None:
                begun.number = len(self._study.get_trials(deepcopy=False))
            trial = optuna.trial.create_trial(
                state=state,
                values=values,
                params=begun.params,
                distributions=self._distributions,
                intermediate_values=rungs,
                system_attrs={"fixed_params": begun.params, **begun.notes},
            )
            self._study.add_trial(trial)
        self._begun.clear()

    def _told(
        self, outcome: Outcome | None
    ) -> tuple[TrialState, list[float] | None, dict[int, float]]:
        """What Optuna is told: state, values of a complete trial, values of a pruned one."""
        if outcome is None:
            return TrialState.RUNNING, None, {}
        if outcome.state == "failed" or not outcome.values:
            return TrialState.FAIL, None, {}
        if outcome.state == "complete":
            return TrialState.COMPLETE, list(outcome.values), {}
        if not self._single:
            # Optuna takes no rung values then, and ranks pruned trials by their age: it would
            # take the earliest for good ones.
            return TrialState.FAIL, None, {}
        return TrialState.PRUNED, None, {outcome.epochs: outcome.values[0]}
