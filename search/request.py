"""How a study is to be run: the options of the commands and of the Python API."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from search.schema.study_plan import StudyPlan
from search.study.events import Ended, Epoch, Lost, Started, Status

Event = Started | Epoch | Lost | Ended
OnEvent = Callable[[Event], None]


class Request(NamedTuple):
    """How a study is to be run; see the options of `python -m search.run`."""

    out: Path | None = None
    time_limit: str | None = None
    address: str | None = None
    inline: bool = False
    retry: tuple[Status, ...] = ()  # trials that ended this way are tried again
    reuse: tuple[Path, ...] = ()  # runs whose identical trials are taken over
    command: tuple[str, ...] = ()  # the command that resumes it
    on_event: OnEvent | None = None

    def folder(self, plan: StudyPlan) -> Path:
        """The folder of a study's run."""
        return self.out or Path("runs") / plan.study
