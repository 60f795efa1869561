"""Keeps the trained weights of the best networks in runs/<study>/networks/.

A worker writes the weights of every trial that is trained completely; the driver removes those
that are not, or no longer, among the best. No torch here.
"""

import bisect
import re
from collections.abc import Iterable
from pathlib import Path

from search.schema.study_plan import StudyPlan
from search.study.confirmation import compared_epochs
from search.study.events import CUT_SHORT, Phase, Started
from search.study.history import History

_OURS = re.compile(r"-seed\d+\.(safetensors|json|npz)")  # in a name, also of a partial file
SUFFIXES = (".safetensors", ".json", ".npz")


def weights_path(folder: Path, started: Started) -> Path:
    """The file of a trial's weights; a .json file beside it describes them."""
    again = f"confirmed-{started.epochs}epochs-" if started.phase == "confirm" else ""
    if started.tuned and started.is_try:
        again = f"try{started.tried}-"
    return folder / "networks" / f"{started.name}-{again}seed{started.repeat}.safetensors"


class KeptWeights:
    """Keeps the weights of the best networks of the search, and of all confirmed ones.

    What is kept is a function of the history alone, ranked as in `History.ranked`. A network is
    dropped only when all its seeds have ended and enough better networks have completed all
    their seeds: before that, its mean or theirs may still change.

    Args:
        folder: folder of the run.
        history: history of the study.
        plan: how many networks of the search are kept, each with all its seeds, and how many
            seeds there are.
    """

    def __init__(self, folder: Path, history: History, plan: StudyPlan) -> None:
        self._folder, self._history = folder, history
        self._best, self._seeds = plan.keep.best, plan.search.seeds
        self._fresh = plan.confirm.seeds if plan.confirm else None
        self._members: dict[str, list[int]] = {}  # ended trials of the search, in order
        self._kept: list[tuple[bool, float, int, str]] = []  # of complete networks, best first
        self._dropped: set[str] = set()
        for trial in history.ends:
            self._learn(trial)

    def path(self, started: Started) -> Path | None:
        """Where a trial should write its weights; None if they can never be kept."""
        wanted = self._best or started.phase == "confirm"
        return weights_path(self._folder, started) if wanted else None

    def ended(self, trial: int) -> None:
        """Note the end of a trial, and remove weights that are no longer among the best."""
        for name in self._learn(trial):
            self._remove(self._members[name])
        started = self._history.trials[trial]
        if started.is_try and self._history.chosen(started.name) is not None:
            tries = map(self._history.trials.__getitem__, self._history.tries[started.name])
            self._remove([one.trial for one in tries if not self._history.stands(one)])

    def retried(self, trial: int) -> None:
        """Forget that a trial had ended; its network is judged again at the trial's new end."""
        name = self._history.trials[trial].name
        if trial in self._members.get(name, []):
            self._members[name].remove(trial)
            self._dropped.discard(name)
            self._kept = [one for one in self._kept if one[-1] != name]

    def tidy(self) -> None:
        """Remove weights that a crash left behind; those of live trials stay."""
        keep = {
            path
            for trial, started in self._history.trials.items()
            if self._is_kept(trial)
            for path in _both(weights_path(self._folder, started))
        }
        for path in (self._folder / "networks").glob("*"):
            if path not in keep and _OURS.search(path.name):  # others are somebody's own
                path.unlink(missing_ok=True)

    def paths(self) -> list[Path]:
        """The kept files, those of the best network first, confirmed ones before others.

        Networks are in the order of their means over seeds (`History.ranked`). Where a study
        was confirmed with several lengths, the one that is compared comes first.
        """
        history = self._history
        place = {one.started.name: i for i, one in enumerate(history.ranked())}
        phases: tuple[Phase, ...] = ("confirm", "search")
        length = self._compared()

        def order(again: int, started: Started) -> tuple[bool | int, ...]:
            other = again == 0 and started.epochs != length
            return again, other, place.get(started.name, len(place)), started.trial

        rows = [
            (order(again, started), weights_path(self._folder, started))
            for again, phase in enumerate(phases)
            for _, started, _ in history.whole(phase)
        ]
        return [path for _, path in sorted(rows) if path.is_file()]

    def _compared(self) -> int:
        """The length of the confirmations that are compared."""
        history = self._history
        whole = ((one.name, one.epochs) for _, one, _ in history.whole("confirm"))
        every = (history.trials[trial] for trial in history.ends)
        ended = [(one.name, one.epochs) for one in every if one.phase == "confirm"]
        return compared_epochs(whole, ended, seeds=self._fresh)

    def _is_kept(self, trial: int) -> bool:
        started = self._history.trials[trial]
        if trial in self._history.live:
            return True
        whole = self._history.value(self._history.ends[trial]) is not None
        whole = whole and self._history.stands(started)
        return whole and (started.phase == "confirm" or started.name not in self._dropped)

    def _learn(self, trial: int) -> list[str]:
        """Take the end of a trial of the search; return names of networks no longer kept."""
        started, history = self._history.trials[trial], self._history
        if started.phase != "search":
            return []
        members = self._members.setdefault(started.name, [])
        members.append(trial)
        chosen = history.chosen(started.name)
        if chosen is None:
            return []
        counted = [one for one in members if history.stands(history.trials[one])]
        only = history.ends[chosen].status in CUT_SHORT  # then it has no other seeds
        if len(counted) < self._seeds and not only:
            return []
        each = {one: history.value(history.ends[one]) for one in counted}
        whole = {one: value for one, value in each.items() if value is not None}
        if whole:
            mean = history.ranking.loss(sum(whole.values()) / len(whole))
            survivor = any(history.failed(one) for one in counted)
            # Raising `seeds` may let a network be completed a second time.
            self._kept = [one for one in self._kept if one[-1] != started.name]
            bisect.insort(self._kept, (survivor, mean, min(whole), started.name))
            self._dropped.discard(started.name)
        dropped = [name for *_, name in self._kept[self._best :]]
        del self._kept[self._best :]
        self._dropped.update(dropped)
        return dropped

    def _remove(self, trials: Iterable[int]) -> None:
        for trial in trials:
            for path in _both(weights_path(self._folder, self._history.trials[trial])):
                path.unlink(missing_ok=True)


def _both(path: Path) -> tuple[Path, ...]:
    return tuple(path.with_name(path.name.removesuffix(".safetensors") + s) for s in SUFFIXES)
