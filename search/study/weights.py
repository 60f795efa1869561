"""Keeps the trained weights of the best networks in runs/<study>/networks/.

A worker writes the weights of every trial that ends whole; those that are not, or no longer,
among the best are removed by whoever decides. No torch here.
"""

from pathlib import Path

from search.study.events import Started
from search.study.history import History

SUFFIXES = (".safetensors", ".json")


def weights_path(folder: Path, started: Started) -> Path:
    """The file of a trial's weights; beside it, as .json, what they are."""
    again = "confirmed-" if started.phase == "confirm" else ""
    return folder / "networks" / f"{started.name}-{again}seed{started.repeat}.safetensors"


class KeptWeights:
    """Keeps the weights of the best networks of the search, and of all confirmed ones.

    Args:
        folder: of the run.
        history: what has happened.
        best: how many networks of the search, each with all its seeds.
    """

    def __init__(self, folder: Path, history: History, *, best: int) -> None:
        self._folder, self._history, self._best = folder, history, best
        self._kept: dict[str, float] = {}  # what ranks, by name
        self._values: dict[str, list[float]] = {}
        self._trials: dict[str, list[Started]] = {}  # whole ones of the search
        for trial in sorted(history.ends):
            self._learn(trial)

    def path(self, started: Started) -> Path | None:
        """Where a trial should keep its weights, if they may be kept at all."""
        wanted = self._best or started.phase == "confirm"
        return weights_path(self._folder, started) if wanted else None

    def ended(self, trial: int) -> None:
        """Note the end of a trial, and remove what is no longer among the best."""
        for name in self._learn(trial):
            self._remove(name)

    def tidy(self) -> None:
        """Remove weights that a crash left behind; those of trials under way stay."""
        keep = {
            path
            for trial, started in self._history.trials.items()
            if self._is_kept(trial)
            for path in _both(weights_path(self._folder, started))
        }
        for path in (self._folder / "networks").glob("*"):
            if path not in keep and (path.suffix in SUFFIXES or ".part" in path.name):
                path.unlink(missing_ok=True)

    def paths(self) -> list[Path]:
        """The files that are kept, the best network's first, confirmed ones before others."""
        order = {"confirm": 0, "search": 1}
        rows = [
            (order[started.phase], self._history.ranking.loss(value), started.trial, path)
            for phase in ("confirm", "search")
            for value, started, _ in self._history.whole(phase)
            if (path := weights_path(self._folder, started)).is_file()
        ]
        return [path for *_, path in sorted(rows)]

    def _is_kept(self, trial: int) -> bool:
        started = self._history.trials[trial]
        if trial in self._history.live or started.phase == "confirm":
            return True
        return started.name in self._kept

    def _learn(self, trial: int) -> list[str]:
        """Take the end of a trial of the search; names that are not kept (any more)."""
        started, ended = self._history.trials[trial], self._history.ends[trial]
        value = self._history.value(ended)
        if started.phase != "search" or value is None:
            return []
        values = self._values.setdefault(started.name, [])
        values.append(value)
        self._trials.setdefault(started.name, []).append(started)
        self._kept[started.name] = self._history.ranking.loss(sum(values) / len(values))
        dropped = sorted(self._kept, key=lambda name: self._kept[name])[self._best :]
        for name in dropped:
            del self._kept[name]
        return dropped

    def _remove(self, name: str) -> None:
        for started in self._trials[name]:
            for path in _both(weights_path(self._folder, started)):
                path.unlink(missing_ok=True)


def _both(path: Path) -> tuple[Path, ...]:
    return tuple(path.with_name(path.name.removesuffix(".safetensors") + s) for s in SUFFIXES)
