"""The actor is a process on some machine of the cluster that runs trials, one after another."""

import json
import math
import os
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ray import tune

from search.engine.bench import make_bench
from search.engine.trial import Trial
from search.schema.files import in_words
from search.schema.study_plan import StudyPlan
from search.study.checkpoints import checkpoint_path
from search.study.events import Started


class TrialActor(tune.Trainable):
    """A process that runs trials one after another; its images stay where they are."""

    def setup(  # type: ignore[override]  # what with_parameters adds
        self,
        config: dict[str, Any],
        *,
        study: dict[str, Any],
        folder: str,
        root: str,
        path: list[str],
        here: str,
    ) -> None:
        """Load the images once, then the first trial."""
        # Foreign parts are found where the driver finds them.
        if Path(here).is_dir():
            os.chdir(here)
        sys.path.extend(folder for folder in path if folder not in sys.path)
        self._folder = Path(folder)
        self._bench = make_bench(StudyPlan.model_validate(study), Path(root))
        self.reset_config(config)

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Take the next trial; nothing of the one before it stays."""
        started = Started.from_json(json.loads(new_config["started"]))
        self._trial = Trial(
            started,
            bench=self._bench,
            checkpoint=checkpoint_path(self._folder, started.trial),
            reported=new_config["reported"],
            weights=new_config["weights"] and Path(new_config["weights"]),
        )
        self._save_epochs = new_config["save_epochs"]
        self._save_from = new_config["save_from"] or math.inf
        return True

    def step(self) -> dict[str, Any]:
        """A turn of the trial; what came of it as text, so that Ray leaves it as it is.

        Raises:
            LostError: the machine failed; Ray gives the trial another worker.
        """
        try:
            epoch, ended = self._trial.step()
        except OSError as error:  # a disk is full: no trial would fare better
            return {"failure": in_words(error), "done": True}
        # Ray may keep a stopped worker for another trial, and never ask it to clean up.
        paused = self._save_epochs and epoch is not None
        if ended is None and (paused or time.time() >= self._save_from):
            self._trial.try_to_save()
        return {
            "epoch": epoch and json.dumps(epoch.to_json()),
            "ended": ended and json.dumps(ended.to_json()),
            "turn": json.dumps(asdict(self._trial.turn)),
            "taken": json.dumps(asdict(self._trial.taken)),
            "done": ended is not None,
        }

    def cleanup(self) -> None:
        """Ray stops the process between two turns: keep what was trained."""
        self._trial.try_to_save()
