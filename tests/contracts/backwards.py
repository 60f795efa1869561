"""A sampler from outside that cannot be told twice of one candidate."""

from typing import Any


class Backwards:
    """From the last candidate to the first."""

    traits = frozenset({"exhaustive"})

    def __init__(self, survey: Any, *, seed: int, objectives: Any) -> None:
        self._left = list(range(len(survey)))

    def propose(self, trial: int) -> int:
        return self._left[-1]

    def take(self, candidate: int) -> None:
        self._left.remove(candidate)

    def tell(self, candidate: int, outcome: Any) -> None:
        pass
