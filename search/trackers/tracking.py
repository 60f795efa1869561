"""Reports a study's events to its trackers; a failing tracker never ends the study."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from res2net.plugins import import_attribute
from search.schema.study_plan import StudyPlan
from search.schema.trackers import TRACKERS
from search.study.events import Ended, Epoch, Lost, Started, Turn
from search.trackers.base import Tracker

FOLDER = "tracking"  # below a run's folder


class Tracking:
    """An observer of the study that calls each tracker; closes them when its block ends.

    Args:
        folder: folder of the run; each tracker has its own folder in `tracking`.
        plan: plan of the study; gives the trackers, whose packages are installed.
        say: called once for each tracker that fails.
    """

    def __init__(
        self,
        folder: Path,
        plan: StudyPlan,
        *,
        say: Callable[[str], object],
    ) -> None:
        self._say = say
        self._trackers: dict[str, Tracker] = {}
        for name in plan.trackers:
            self._make(name, folder / FOLDER / name, plan)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._each(lambda tracker: tracker.close())

    def started(self, started: Started) -> None:
        """A trial starts or resumes."""
        self._each(lambda tracker: tracker.begin(started))

    def turned(self, started: Started, turn: Turn) -> None:
        """Do nothing: progress within an epoch has no numbers."""

    def reported(self, started: Started, epoch: Epoch) -> None:
        """A running trial finished an epoch."""
        self._each(lambda tracker: tracker.report(started, epoch))

    def silent(self, started: Started, seconds: float, *, running: bool) -> None:
        """Do nothing: silence has no numbers."""

    def lost(self, started: Started, lost: Lost) -> None:
        """Do nothing: the trial will be resumed."""

    def ended(self, started: Started, ended: Ended) -> None:
        """A trial ended, perhaps one that this process never ran."""
        self._each(lambda tracker: _end(tracker, started, ended))

    def _make(self, name: str, folder: Path, plan: StudyPlan) -> None:
        try:
            self._trackers[name] = import_attribute(TRACKERS[name].maker)(folder, plan)
        except Exception as error:  # noqa: BLE001 - it must not end the study
            self._failed(name, error)

    def _each(self, tell: Callable[[Tracker], None]) -> None:
        for name, tracker in list(self._trackers.items()):
            try:
                tell(tracker)
            except Exception as error:  # noqa: BLE001 - as above
                del self._trackers[name]
                with suppress(Exception):
                    tracker.close()
                self._failed(name, error)

    def _failed(self, name: str, error: Exception) -> None:
        problem = " ".join(str(error).split())
        self._say(
            f"trackers: {name} failed ({type(error).__name__}: {problem}) and is told nothing "
            "more; the study goes on, and its journal records everything"
        )


def _end(tracker: Tracker, started: Started, ended: Ended) -> None:
    tracker.begin(started)
    tracker.end(started, ended)
