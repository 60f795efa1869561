"""A worker: runs trials one after another in a process of the cluster, and keeps its images."""

import json
import math
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from res2net.file_names import path_of
from search.engine.bench import Benches
from search.engine.transfer import check_files
from search.engine.trial import Trial
from search.images.staging import stage
from search.schema.files import in_words
from search.schema.remote import located
from search.schema.study_plan import StudyPlan
from search.study.checkpoints import check_place
from search.study.events import Measured, Started


class Worker:
    """Runs the trials that it is given.

    Args:
        plan: plan of the study.
        here: folder of the command, to which paths of the plan are relative.
        away: whether this may be another machine than the command's.
    """

    def __init__(self, plan: StudyPlan, here: Path, *, away: bool) -> None:
        root = here / path_of(plan.data.root)  # environment variables are those of this machine
        if away:
            for data in plan.images:
                stage(data, root)
            if plan.checkpoints is not None:
                check_place(plan.checkpoints)
        if plan.transfer is not None:
            check_files(plan.transfer, here)
        self._benches = Benches(plan, root, here)
        self._trial: Trial | None = None

    def take(self, config: Mapping[str, Any]) -> None:
        """Take the next trial; nothing of the previous one remains."""
        started = Started.from_json(json.loads(config["started"]))
        self._trial = None  # frees its images, before others are loaded
        self._trial = Trial(
            started,
            bench=self._benches.of(started),
            checkpoint=located(config["checkpoint"]),
            reported=config["reported"],
            weights=config["weights"] and located(config["weights"]),
            known=map(Measured.from_json, json.loads(config["known"])),
        )
        self._save_epochs = config["save_epochs"]
        self._save_from = config["save_from"] or math.inf

    def step(self) -> dict[str, Any]:
        """Run a turn of the trial; the result is text, so that Ray does not alter it.

        Raises:
            LostError: the machine failed; Ray gives the trial another worker.
        """
        assert self._trial is not None, "Ray gives the first one before it asks"
        try:
            epoch, ended = self._trial.step()
        except OSError as error:  # a full disk: any trial would fail here
            return {"failure": in_words(error), "done": True}
        # Ray may reuse a stopped worker for another trial without calling cleanup.
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

    def save(self) -> None:
        """Save the trained state, if it can be saved."""
        if self._trial is not None:
            self._trial.try_to_save()
