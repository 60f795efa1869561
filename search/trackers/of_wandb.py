"""Tells Weights & Biases: offline runs, one for each trial, which `wandb sync` sends.

Nothing is sent from here, and no account is asked for.
"""

from pathlib import Path
from typing import Any

import wandb

from search.schema.study_plan import StudyPlan
from search.study.events import Ended, Epoch, Started, Status
from search.trackers.base import last_of, numbers_of, settings_of

_SOUND = (Status.OK, Status.PRUNED)


class OfWandb:
    """Writes offline runs.

    Args:
        folder: that they lie in.
        plan: of the study, whose name the project bears.
    """

    def __init__(self, folder: Path, plan: StudyPlan) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._study = folder, plan.study
        self._runs: dict[int, Any] = {}

    def begin(self, started: Started) -> None:
        """Begin a run; of a trial that goes on, another part of the same one."""
        if started.trial in self._runs:  # it was lost or paused, and goes on
            return
        self._runs[started.trial] = wandb.init(
            project=self._study,
            # The same in each part of a trial, so that they are one run where they are synced.
            id=f"{self._study}-{started.trial}",
            name=f"{started.trial} {started.name}",
            group=started.phase,
            config=dict(settings_of(started)),
            dir=str(self._folder),
            mode="offline",
            resume="allow",
            reinit="create_new",  # trials run side by side
            settings=wandb.Settings(silent=True, console="off"),
        )

    def report(self, started: Started, epoch: Epoch) -> None:
        """Write the numbers of an epoch, at its number."""
        self._runs[started.trial].log(numbers_of(epoch), step=epoch.epoch)

    def end(self, started: Started, ended: Ended) -> None:
        """Write the scores of the test images, and how it ended; close the run."""
        run = self._runs.pop(started.trial)
        said = {"status": ended.status.value, "reason": ended.reason}
        run.summary.update(last_of(ended) | said)
        run.finish(exit_code=0 if ended.status in _SOUND else 1)

    def close(self) -> None:
        """Close the runs of trials under way."""
        for run in self._runs.values():
            run.finish()
        self._runs.clear()
