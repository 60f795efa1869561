"""Asynchronous HyperBand (Li et al., 2018, section 3.4): several brackets of stopping ASHA.

How early a curve shows whether a network is good is not known beforehand: so some networks run
longer before they are compared. Each bracket compares only its own networks.
"""

from collections.abc import Mapping, Sequence

from search.schedulers.asha import Asha
from search.schedulers.base import Decision
from search.schema.metrics import Objective


class Hyperband:
    """Distributes networks over brackets, each of which is an `Asha` with a later first rung.

    Args:
        epochs: length of a complete trial.
        trials: number of first trials of networks, including all tries; it has no effect.
        objectives: objectives by which trials are compared.
        grace: epochs of the first rung of the first bracket.
        reduction: factor from rung to rung, and from one bracket's first rung to the next's.
        brackets: number of brackets.

    Attributes:
        rungs: epochs after which trials of some bracket may be stopped.
    """

    def __init__(
        self,
        *,
        epochs: int,
        trials: int,  # noqa: ARG002 - the protocol's
        objectives: Sequence[Objective],
        grace: int = 1,
        reduction: int = 3,
        brackets: int = 2,
    ) -> None:
        self._brackets = [
            Asha(
                epochs=epochs,
                objectives=objectives,
                grace=grace * reduction**number,
                reduction=reduction,
            )
            for number in range(brackets)
        ]
        self.rungs = self._brackets[0].rungs
        self._shares = shares_of([len(one.rungs) for one in self._brackets], reduction)
        self._dealt = [0] * brackets
        self._bracket: dict[int, Asha] = {}  # by trial

    def report(self, trial: int, epoch: int, metrics: Mapping[str, float]) -> Decision:
        """Ask the trial's bracket; at its first report the trial is assigned to one."""
        if trial not in self._bracket:
            self._bracket[trial] = self._deal()
        return self._bracket[trial].report(trial, epoch, metrics)

    def ended(self, trial: int) -> None:
        """Do nothing: a rung keeps the scores of all trials that reached it."""

    def resume(self) -> int | None:
        """None, as trials are stopped, never paused."""
        return None

    def resumed(self, trial: int) -> None:
        """Do nothing: no trial is ever resumed."""

    def _deal(self) -> Asha:
        """The bracket that is furthest behind its share; of equals the first."""
        dealt = sum(self._dealt) + 1
        behind = [
            share * dealt - had for share, had in zip(self._shares, self._dealt, strict=True)
        ]
        number = behind.index(max(behind))
        self._dealt[number] += 1
        return self._brackets[number]


def shares_of(rungs: Sequence[int], reduction: int) -> list[float]:
    """The share of networks of each bracket, so that all brackets take about as many epochs.

    A bracket of s rungs starts with reduction**s / (s + 1) times as many networks as one
    without rungs (Li et al., 2018, algorithm 1).

    Args:
        rungs: number of rungs of each bracket.
        reduction: one trial in so many continues at each rung.
    """
    weights = [reduction**count / (count + 1) for count in rungs]
    return [weight / sum(weights) for weight in weights]
