"""Reports to TensorBoard: event files in a folder for each trial, by its number.

Each holds the numbers of every epoch, and the trial's settings for the HParams page.
"""

from collections import OrderedDict
from pathlib import Path
from typing import Any

from torch.utils.tensorboard import SummaryWriter
from torch.utils.tensorboard.summary import hparams

from search.schema.study_plan import StudyPlan
from search.study.events import Ended, Epoch, Started
from search.trackers.base import last_of, numbers_of, settings_of

_FILES = "events.out.tfevents.*"
_OPEN = 32  # files open at once; each takes a thread


class OfTensorBoard:
    """Writes event files.

    Args:
        folder: the folder that holds them.
        plan: gives the metrics by which trials are compared.
    """

    def __init__(self, folder: Path, plan: StudyPlan) -> None:
        self._folder = folder
        self._compared = [one.name for one in plan.objectives if one.source == "reported"]
        self._writers: OrderedDict[int, Any] = OrderedDict()  # the one used last is at the end

    def begin(self, started: Started) -> None:
        """Open a file; the first one of a trial also holds its settings."""
        self._writer(started).flush()

    def report(self, started: Started, epoch: Epoch) -> None:
        """Write the numbers of an epoch, at its number."""
        self._write(started, numbers_of(epoch), epoch.epoch)

    def end(self, started: Started, ended: Ended) -> None:
        """Write the scores of the test images, and close the file."""
        self._write(started, last_of(ended), ended.epochs)
        *_, end = self._hparams(started)
        writer = self._writers.pop(started.trial)
        writer.file_writer.add_summary(end)
        writer.close()

    def close(self) -> None:
        """Close the files of live trials."""
        for writer in self._writers.values():
            writer.close()
        self._writers.clear()

    def _write(self, started: Started, numbers: dict[str, float], step: int) -> None:
        writer = self._writer(started)
        for name, value in numbers.items():
            writer.add_scalar(name, value, step)
        writer.flush()

    def _writer(self, started: Started) -> Any:
        """The writer of a trial; if too many are open, the least recently used are closed."""
        trial = started.trial
        if trial in self._writers:
            self._writers.move_to_end(trial)
            return self._writers[trial]
        while len(self._writers) >= _OPEN:
            self._writers.popitem(last=False)[1].close()
        folder = self._folder / str(trial)
        known = any(folder.glob(_FILES))
        writer: Any = SummaryWriter(str(folder))
        self._writers[trial] = writer
        if not known:
            about, begin, _ = self._hparams(started)
            writer.file_writer.add_summary(about)
            writer.file_writer.add_summary(begin)
        return writer

    def _hparams(self, started: Started) -> tuple[Any, Any, Any]:
        """TensorBoard's records of an experiment, of a session's start and of its end."""
        compared = dict.fromkeys(self._compared, 0.0)
        made: tuple[Any, Any, Any] = hparams(  # type: ignore[no-untyped-call]
            dict(settings_of(started)), compared
        )
        return made
