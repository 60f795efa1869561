"""A scheduler from outside: every trial rests after its first epoch, the best half goes on."""

from collections.abc import Mapping, Sequence

from search.schedulers.base import Decision
from search.schema.metrics import Objective


class Pausing:
    """Pauses at epoch 1; of `group` trials that rest, resumes the best half one by one."""

    traits = frozenset({"stops", "pauses"})

    def __init__(
        self, *, epochs: int, trials: int, objectives: Sequence[Objective], group: int = 4
    ) -> None:
        assert epochs > 1
        assert trials > 0
        self._objective, self._group = objectives[0], group
        self._resting: dict[int, float] = {}
        self._promoted: set[int] = set()

    def report(self, trial: int, epoch: int, metrics: Mapping[str, float]) -> Decision:
        if epoch > 1:
            return Decision.CONTINUE
        self._resting[trial] = self._objective.loss(metrics[self._objective.name])
        return Decision.PAUSE

    def ended(self, trial: int) -> None:
        self._resting.pop(trial, None)

    def resume(self) -> int | None:
        seen = len(self._resting) + len(self._promoted)
        wanted = seen // self._group * self._group // 2
        if len(self._promoted) >= wanted:
            return None
        return min(self._resting, key=lambda trial: (self._resting[trial], trial))

    def resumed(self, trial: int) -> None:
        self._resting.pop(trial)
        self._promoted.add(trial)
