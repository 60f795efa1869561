"""Our samplers for any Ray Tune experiment: a `Searcher` that never leaves the budget."""

import json
import math
from pathlib import Path
from typing import Any

from ray.tune.search import Searcher

from res2net.plugins import PluginError
from search.samplers.base import Outcome, Sampler, SpaceExhausted, make_sampler
from search.schema.metrics import Direction, Objective
from search.schema.parts import Choice
from search.schema.prior import Prior
from search.space.named import Named
from search.space.survey import Survey


class SpaceSearcher(Searcher):
    """Proposes distinct networks of a space, all inside its budget.

    A trial's config holds `name`, which `res2net.parse` reads, and a value of each dimension.
    The experiment ends when every candidate was proposed.

    Args:
        survey: the candidates inside the budget.
        choice: the sampler and its options.
        seed: seed of every random choice.
        prior: where good networks are expected, for a sampler that takes a prior.
        metric: name of the metric that a trial reports.
        mode: "min" or "max".

    Raises:
        PluginError: the mode is neither.
    """

    def __init__(
        self,
        survey: Survey,
        choice: Choice,
        *,
        seed: int,
        metric: str,
        mode: str,
        prior: Prior | None = None,
    ) -> None:
        super().__init__(metric=metric, mode=mode)
        directions: dict[str, Direction] = {"min": "minimize", "max": "maximize"}
        if mode not in directions:
            raise PluginError(
                f"ray_searcher: mode {mode!r} is not a direction; write min or max"
            )
        objective = Objective(metric, directions[mode], "reported")
        self._survey, self._named = survey, Named(survey)
        self._sampler: Sampler = make_sampler(
            choice, survey, seed=seed, objectives=[objective], prior=prior
        )
        self._events: list[tuple[int, Outcome | None]] = []
        self._running: dict[str, int] = {}  # candidate by Ray's trial id

    # FINISHED is a str, which Ray's annotation omits.
    def suggest(self, trial_id: str) -> dict[str, Any] | str | None:  # type: ignore[override]
        """The config of a new trial."""
        tried = sum(outcome is None for _, outcome in self._events)
        try:
            candidate = self._sampler.propose(tried)
        except SpaceExhausted:
            return Searcher.FINISHED
        self._note(candidate, None)
        self._running[trial_id] = candidate
        name = self._survey.architecture(candidate).name
        return {"name": name, **self._named.values(candidate)}

    def on_trial_complete(
        self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False
    ) -> None:
        """Pass on how a trial ended; one without the metric, or with NaN, failed."""
        candidate = self._running.pop(trial_id, None)
        if candidate is None:
            return
        value = None if error or result is None else result.get(str(self.metric))
        self._note(candidate, _outcome(value))

    def save(self, checkpoint_path: str) -> None:
        """Write all that was reported, as JSON: unlike a pickle, it cannot run code."""
        held = {"events": self._events, "running": self._running}
        Path(checkpoint_path).write_text(json.dumps(held), encoding="utf-8")

    def restore(self, checkpoint_path: str) -> None:
        """Report all of it again to a new sampler."""
        held = json.loads(Path(checkpoint_path).read_text(encoding="utf-8"))
        for candidate, outcome in held["events"]:
            told = outcome and Outcome(outcome[0], tuple(outcome[1]), outcome[2])
            self._note(candidate, told)
        self._running = held["running"]

    def _note(self, candidate: int, outcome: Outcome | None) -> None:
        self._events.append((candidate, outcome))
        if outcome is None:
            self._sampler.take(candidate)
        else:
            self._sampler.tell(candidate, outcome)


def _outcome(value: Any) -> Outcome:
    """How a trial with this value of the metric ended, in the form that a sampler takes."""
    if value is None or not math.isfinite(value):
        return Outcome("failed")
    return Outcome("complete", (float(value),))
