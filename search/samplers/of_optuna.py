"""Our samplers for any Optuna study: a `BaseSampler` that never leaves the budget."""

import contextlib
import math
import threading
from collections.abc import Mapping, Sequence
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.samplers import BaseSampler, RandomSampler
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from res2net import Architecture
from search.samplers.base import Outcome, Sampler, SpaceExhausted, make_sampler
from search.schema.metrics import Direction, Objective
from search.schema.parts import Choice
from search.schema.prior import Prior
from search.space.named import Named
from search.space.survey import Survey

_DIRECTIONS: dict[StudyDirection, Direction] = {
    StudyDirection.MINIMIZE: "minimize",
    StudyDirection.MAXIMIZE: "maximize",
}


class SpaceSampler(BaseSampler):
    """Proposes distinct networks of a space, all inside its budget.

    Its dimensions are categorical parameters; other parameters that an objective asks for are
    drawn at random. It learns from whatever the study holds, also from other processes.

    Args:
        survey: the candidates inside the budget.
        choice: the sampler and its options.
        seed: seed of every random choice; the same study then gets the same proposals.
        prior: where good networks are expected, for a sampler that takes a prior.

    Attributes:
        distributions: distributions of the parameters that it proposes, by name.
    """

    def __init__(
        self, survey: Survey, choice: Choice, *, seed: int, prior: Prior | None = None
    ) -> None:
        self._survey, self._choice, self._seed, self._prior = survey, choice, seed, prior
        self._named = Named(survey)
        self.distributions: dict[str, BaseDistribution] = {
            name: CategoricalDistribution(choices)
            for name, choices in self._named.choices.items()
        }
        self._other = RandomSampler(seed=seed)
        self._lock = threading.Lock()  # study.optimize(n_jobs=...) asks from several threads
        self._sampler: Sampler | None = None
        self._taken: dict[int, int] = {}  # candidate by trial number
        self._told: set[int] = set()  # numbers of trials whose end was passed on

    def suggest(self, trial: optuna.Trial) -> Architecture:
        """The network of a trial: suggests every dimension to it.

        Raises:
            ValueError: the trial has fixed values of no candidate, as by `enqueue_trial`.
        """
        for name, choices in self._named.choices.items():
            trial.suggest_categorical(name, choices)
        return self.architecture(trial.params)

    def architecture(self, params: Mapping[str, Any]) -> Architecture:
        """The network that parameters describe.

        Raises:
            ValueError: they do not describe a candidate.
        """
        candidate = self._named.candidate(params)
        if candidate is None:
            known = ", ".join(self._named.choices)
            raise ValueError(
                f"{dict(params)} is not a candidate within the budget; give a value for each "
                f"of {known}, of a network that the space contains"
            )
        return self._survey.architecture(candidate)

    def reseed_rng(self) -> None:
        """Start another random sequence, as each process and each thread of a study must.

        Candidates taken by trials stay taken: a study does not list trials that just began.
        """
        self._other.reseed_rng()
        with self._lock:
            self._seed = int(self._other._rng.rng.randint(2**31))
            self._sampler, self._told = None, set()

    def infer_relative_search_space(
        self,
        study: optuna.Study,  # noqa: ARG002 - Optuna's signature
        trial: FrozenTrial,  # noqa: ARG002
    ) -> dict[str, BaseDistribution]:
        """All dimensions, to be proposed jointly: otherwise they could leave the budget."""
        return self.distributions

    def sample_relative(
        self,
        study: optuna.Study,
        trial: FrozenTrial,
        search_space: dict[str, BaseDistribution],
    ) -> dict[str, Any]:
        """The values of a candidate that no other trial has.

        If some values are fixed (`enqueue_trial`), those of a candidate that has them; empty if
        no candidate does.

        Raises:
            SpaceExhausted: every candidate is taken.
        """
        if not search_space:
            return {}
        given = trial.system_attrs.get("fixed_params", {})
        fixed = {name: value for name, value in given.items() if name in search_space}
        with self._lock:
            sampler = self._learn(study, but=trial.number)
            candidate = self._fitting(fixed) if fixed else sampler.propose(len(self._taken))
            if candidate is None:
                return {}
            self._take(sampler, trial.number, candidate)
            return dict(self._named.values(candidate))

    def sample_independent(
        self,
        study: optuna.Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        """A random value for a parameter that is not a dimension of the space."""
        return self._other.sample_independent(study, trial, param_name, param_distribution)

    def after_trial(
        self,
        study: optuna.Study,
        trial: FrozenTrial,  # noqa: ARG002 - Optuna's signature
        state: TrialState,  # noqa: ARG002
        values: Sequence[float] | None,  # noqa: ARG002
    ) -> None:
        """Stop a study that has tried every candidate."""
        if len(self._taken) >= len(self._survey):  # a candidate is taken by one trial only
            with contextlib.suppress(RuntimeError):  # only optimize can be stopped
                study.stop()

    def _fitting(self, fixed: Mapping[str, Any]) -> int | None:
        """The first untried candidate with these values; None where there is none."""
        wanted = {name: value for name, value in fixed.items() if name in self.distributions}
        taken = set(self._taken.values())
        for candidate in range(len(self._survey)):
            values = self._named.values(candidate)
            if candidate not in taken and wanted.items() <= values.items():
                return candidate
        return None

    def _learn(self, study: optuna.Study, but: int) -> Sampler:
        """Our sampler, after passing on every trial that is new to it."""
        sampler = self._sampler
        if sampler is None:
            sampler = self._sampler = self._made(study)
            for taken in self._taken.values():
                sampler.take(taken)
        for trial in study.get_trials(deepcopy=False):
            number = trial.number
            if number == but or number in self._told:
                continue
            if number not in self._taken:
                candidate = self._named.candidate(trial.params)
                if candidate is None or candidate in self._taken.values():
                    self._told.update({number} if trial.state.is_finished() else ())
                    continue
                self._take(sampler, number, candidate)
            if trial.state.is_finished():
                self._told.add(number)
                sampler.tell(self._taken[number], outcome_of(trial))
        return sampler

    def _made(self, study: optuna.Study) -> Sampler:
        objectives = [
            Objective(f"value {place}", _DIRECTIONS[direction], "reported")
            for place, direction in enumerate(study.directions)
        ]
        return make_sampler(
            self._choice,
            self._survey,
            seed=self._seed,
            objectives=objectives,
            prior=self._prior,
        )

    def _take(self, sampler: Sampler, number: int, candidate: int) -> None:
        self._taken[number] = candidate
        sampler.take(candidate)


def outcome_of(trial: FrozenTrial) -> Outcome:
    """How a finished Optuna trial ended, in the form that our samplers take."""
    outcome, step = Outcome("failed"), trial.last_step
    if trial.state is TrialState.COMPLETE:
        outcome = Outcome("complete", tuple(trial.values))
    elif trial.state is TrialState.PRUNED and step is not None:
        outcome = Outcome("pruned", (trial.intermediate_values[step],), step)
    # Optuna accepts infinity, and NaN before the end; networks cannot be compared by these.
    return outcome if all(map(math.isfinite, outcome.values)) else Outcome("failed")


__all__ = ["SpaceExhausted", "SpaceSampler"]
