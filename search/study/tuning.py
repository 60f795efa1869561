"""Tunes settings per network: hands out its tries, and learns from their results."""

import itertools
from dataclasses import dataclass, field

from search.samplers.base import Outcome, Sampler, make_sampler
from search.schema.seeds import seed_of
from search.schema.study_plan import StudyPlan
from search.space.configuration import Configuration
from search.space.survey import Survey
from search.space.tuned import middle, settings_survey
from search.study.events import Started


@dataclass(slots=True)
class _Network:
    """A network that is being tuned."""

    configuration: Configuration
    tuner: Sampler
    started: int = 0
    tried: set[int] = field(default_factory=set)  # numbers of its started tries
    running: set[int] = field(default_factory=set)  # running trials


class Tuning:
    """The tries of each network. Without tuning, each network has one, without settings.

    Args:
        plan: plan of the study.
        survey: its candidates.
    """

    def __init__(self, plan: StudyPlan, survey: Survey) -> None:
        self._plan, self._tune = plan, plan.search.tune
        self._settings: Survey | None = None
        self._middle: int | None = None  # first try of every network; None: the tuner's
        if self._tune is not None:
            self._settings = settings_survey(survey, plan.varied, self._tune.keys)
            if self._tune.climbs:
                self._middle = middle(self._settings)
        self._open: dict[str, _Network] = {}  # networks with unstarted tries, by name
        self._closed: dict[str, _Network] = {}  # the other networks that have a running try

    def first(self, configuration: Configuration) -> Configuration:
        """A new network with the settings of its first try."""
        if self._settings is None:
            return configuration
        return self._next(self._made(configuration))

    def further(self, *, beside: bool) -> Configuration | None:
        """The next try of a network that was tried before; None if none can start now.

        Args:
            beside: whether the network may have a running try.
        """
        alike = self._tune is not None and self._tune.trials == "all"  # nothing is learned
        for network in self._open.values():
            if alike or beside or not network.running:
                return self._next(network)
        return None

    def start(self, started: Started) -> bool:
        """Note the start of a try; return whether it is the first of its network."""
        if self._settings is None:
            return True
        name = started.name
        new = name not in self._open
        if new:
            self._open[name] = self._made(started.configuration)
        network = self._open[name]
        network.tuner.take(self._place(started))
        network.running.add(started.trial)
        network.tried.add(started.tried)
        network.started += 1
        if network.started == self._plan.tries:
            self._closed[name] = self._open.pop(name)
        return new

    def end(self, started: Started, outcome: Outcome) -> None:
        """Note how a try ended."""
        if self._settings is None:
            return
        name = started.name
        network = self._open.get(name) or self._closed[name]
        network.running.discard(started.trial)
        if name in self._open:
            network.tuner.tell(self._place(started), outcome)
        elif not network.running:  # no more is asked of it
            del self._closed[name]

    def retried(self, started: Started) -> None:
        """Note that a failed try is live again."""
        if self._settings is None:
            return
        network = self._open.get(started.name)
        if network is None:
            made = self._made(started.configuration)
            network = self._closed.setdefault(started.name, made)
        else:
            network.tuner.take(self._place(started))
        network.running.add(started.trial)

    def _made(self, configuration: Configuration) -> _Network:
        assert self._tune is not None, "only where something is tuned"
        assert self._settings is not None, "made with it"
        name, seed = configuration.name, self._plan.search.seed
        tuner = make_sampler(
            self._tune.chosen(),
            self._settings,
            seed=seed_of(seed, f"tune {name}"),
            objectives=(self._plan.ranking,),  # the metric that chooses the best try
        )
        return _Network(configuration._replace(tuned={}, tried=0), tuner)

    def _next(self, network: _Network) -> Configuration:
        assert self._settings is not None, "only where something is tuned"
        at = self._middle if network.started == 0 else None
        at = network.tuner.propose(network.started) if at is None else at
        tuned = self._settings.settings(at)
        # Not always the number started: the lines of an earlier try may have been deleted.
        tried = next(number for number in itertools.count() if number not in network.tried)
        return network.configuration._replace(tuned=tuned, tried=tried)

    def _place(self, started: Started) -> int:
        assert self._settings is not None, "only where something is tuned"
        one = self._settings.architecture(0)
        place = self._settings.candidate(one, started.tuned)
        if place is None:
            raise ValueError(f"trial {started.trial} has other settings than the study tunes")
        return place
