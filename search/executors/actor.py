"""The actor: a worker process of the cluster that runs trials, one after another."""

import json
import math
import os
import socket
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import ray
from ray import tune

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


class NodeError(RuntimeError):
    """No worker can be set up on a machine; the message says on which, and why."""


class TrialActor(tune.Trainable):
    """A process that runs trials one after another, and keeps its images in memory."""

    def setup(  # type: ignore[override]  # arguments of with_parameters
        self,
        config: dict[str, Any],
        *,
        study: dict[str, Any],
        path: list[str],
        here: str,
        away: bool,
    ) -> None:
        """Load the images once, then the first trial.

        Raises:
            NodeError: a worker cannot be set up on this machine.
        """
        # Foreign parts are imported as in the driver, or were shipped to this folder.
        if not away:
            os.chdir(here)
        sys.path.extend(folder for folder in path if folder not in sys.path)
        try:
            self._benches = _benches(StudyPlan.model_validate(study), Path(here), away=away)
        except Exception as error:
            raise NodeError(_of_this_node(error)) from error
        self.reset_config(config)

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Take the next trial; nothing of the previous one remains."""
        started = Started.from_json(json.loads(new_config["started"]))
        vars(self).pop("_trial", None)  # frees its images, before others are loaded
        self._trial = Trial(
            started,
            bench=self._benches.of(started),
            checkpoint=located(new_config["checkpoint"]),
            reported=new_config["reported"],
            weights=new_config["weights"] and located(new_config["weights"]),
            known=map(Measured.from_json, json.loads(new_config["known"])),
        )
        self._save_epochs = new_config["save_epochs"]
        self._save_from = new_config["save_from"] or math.inf
        return True

    def step(self) -> dict[str, Any]:
        """Run a turn of the trial; the result is text, so that Ray does not alter it.

        Raises:
            LostError: the machine failed; Ray gives the trial another worker.
        """
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

    def cleanup(self) -> None:
        """Save the trained state when Ray stops the process between two turns."""
        self._trial.try_to_save()


def _benches(plan: StudyPlan, here: Path, *, away: bool) -> Benches:
    root = here / path_of(plan.data.root)  # environment variables are those of this machine
    if away:
        for data in plan.images:
            stage(data, root)
        if plan.checkpoints is not None:
            check_place(plan.checkpoints)
    if plan.transfer is not None:
        check_files(plan.transfer, here)
    return Benches(plan, root, here)


def _of_this_node(error: Exception) -> str:
    """Say in one line where a worker could not be set up, and why."""
    why = in_words(error) if isinstance(error, OSError) else str(error)
    address = ray.util.get_node_ip_address()  # type: ignore[no-untyped-call]  # it has no type
    return f"on node {socket.gethostname()} ({address}): {' '.join(why.split())}"
