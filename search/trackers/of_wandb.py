"""Reports to Weights & Biases: offline runs, one for each trial, which `wandb sync` uploads.

Nothing is sent from here, and no account is needed.
"""

import secrets
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
        folder: the folder that holds them.
        plan: plan of the study, which gives the project its name.
    """

    def __init__(self, folder: Path, plan: StudyPlan) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._study = folder, plan.study
        self._run = _id_of(folder)
        self._runs: dict[int, Any] = {}

    def begin(self, started: Started) -> None:
        """Begin a run; for a resumed trial, another part of the same run."""
        if started.trial in self._runs:  # it was lost or paused, and resumes
            return
        self._runs[started.trial] = wandb.init(
            project=self._study,
            # The same in each part of a trial, so that they become one run when they are
            # synced.
            id=f"{self._study}-{self._run}-{started.trial}",
            name=f"{started.trial} {started.name}",
            group=started.phase,
            config=dict(settings_of(started)),
            dir=str(self._folder),
            mode="offline",
            resume="allow",
            reinit="create_new",  # several trials run at once
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
        """Close the runs of live trials."""
        for run in self._runs.values():
            run.finish()
        self._runs.clear()


def _id_of(folder: Path) -> str:
    """Read what tells this run from another one of the same study; drawn by its first start."""
    file = folder / "run_id"
    if not file.is_file():
        file.write_text(secrets.token_hex(4), encoding="utf-8")
    return file.read_text(encoding="utf-8").strip()
