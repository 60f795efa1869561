"""The first trials of networks: one each, or several where settings are tuned per network."""

from collections import Counter

from search.schema.metrics import Objective
from search.study.events import CUT_SHORT, SOUND, Ended, Started, Status


class Tries:
    """Determines for each network which of its tries represents it.

    Once another seed, or a confirmation, has started with the settings of a try, that try is
    fixed: if another were preferred later, such as one that failed and was retried, the
    network's trials would differ in more than their seed. (Confirmations of a try whose lines
    were deleted from the journal fix nothing.)

    Args:
        count: tries of each network.
        objective: the ranking metric.

    Attributes:
        of: the started tries of each network, in order, by name.
        chosen: for each network whose tries have all ended, the try that represents it: the
            best of the completely trained ones, else of those that got furthest.
        settled: for each network with another seed or a confirmation, the try with the same
            settings.
        cut: names of networks whose chosen try was stopped early, or rejected.
        cut_repeats: number of their trials with other seeds.
        orphans: trials with other seeds, by name, of each network that has no try with their
            settings, because its lines were deleted from the journal.
    """

    def __init__(self, count: int, objective: Objective) -> None:
        self._count, self._objective = count, objective
        self._ends: dict[str, dict[int, Ended]] = {}
        self.of: dict[str, list[int]] = {}
        self.chosen: dict[str, int] = {}
        self.settled: dict[str, int] = {}
        self.cut: set[str] = set()
        self.cut_repeats = 0
        self.orphans: dict[str, list[Started]] = {}
        self._repeats = Counter[str]()
        self._started: dict[str, list[Started]] = {}

    def start(self, started: Started) -> None:
        """Note the start of a try."""
        name = started.name
        self.of.setdefault(name, []).append(started.trial)
        self._started.setdefault(name, []).append(started)
        if name in self.orphans and self.orphans[name][0].tuned == started.tuned:
            del self.orphans[name]
            self.settled.setdefault(name, started.trial)

    def end(self, started: Started, ended: Ended) -> None:
        """Note the end of a try."""
        ends = self._ends.setdefault(started.name, {})
        ends[started.trial] = ended
        if len(ends) < self._count:
            return
        settled = self.settled.get(started.name)
        best = min(ends.values(), key=self._standing)
        chosen = best if settled is None else ends[settled]
        self.chosen[started.name] = chosen.trial
        if chosen.status in CUT_SHORT:
            self._cut(started.name)

    def repeat(self, started: Started) -> None:
        """Note the start of a trial with another seed."""
        name = started.name
        self._repeats[name] += 1
        self.cut_repeats += name in self.cut
        for one in self._started.get(name, ()):
            if one.tuned == started.tuned:
                self.settled.setdefault(name, one.trial)
                return
        self.orphans.setdefault(name, []).append(started)

    def settle(self, started: Started) -> None:
        """Fix the try that a confirmation repeats with fresh seeds."""
        for one in self._started.get(started.name, ()):
            if one.tuned == started.tuned:
                self.settled.setdefault(started.name, one.trial)

    def retried(self, started: Started) -> None:
        """Note that a failed try is live again."""
        del self._ends[started.name][started.trial]
        self.chosen.pop(started.name, None)
        if started.name in self.cut:
            self.cut.remove(started.name)
            self.cut_repeats -= self._repeats[started.name]

    def _cut(self, name: str) -> None:
        self.cut.add(name)
        self.cut_repeats += self._repeats[name]

    def _standing(self, ended: Ended) -> tuple[int, int, float, int]:
        """Sort key, lower is better: complete tries, those that got furthest, then others."""
        value = ended.metrics.get(self._objective.name)
        if ended.status not in SOUND or value is None:
            return 3 if ended.status not in SOUND else 2, 0, 0.0, ended.trial
        loss = self._objective.loss(value)
        if ended.status is Status.OK:
            return 0, 0, loss, ended.trial
        return 1, -ended.epochs, loss, ended.trial
