"""The Ray executor runs trials through Ray Tune, on one machine or a cluster.

Ray is an executor only: what runs next, when it stops and what is kept is decided by the
`Study`. Its own state lies in a temporary folder and is never read back.
"""

import json
import math
import os
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import ray
from ray import tune
from ray.tune.experiment import Trial as RayTrial
from ray.tune.schedulers import FIFOScheduler, TrialScheduler
from ray.tune.search import Searcher

from search.engine.bench import make_bench
from search.engine.trial import Trial
from search.executors.broker import Broker
from search.executors.connection import connected
from search.schema.study_plan import StudyPlan
from search.schema.yaml import ConfigError
from search.study.checkpoints import checkpoint_path
from search.study.events import Started, Status
from search.study.study import Study

_CANNOT_START = "creation task"  # how Ray words an error in a worker's set-up
_NO_MEMORY = "OutOfMemoryError"  # and that it was killed for want of memory


def run_on_ray(
    study: Study, plan: StudyPlan, *, folder: Path, root: Path, address: str | None
) -> None:
    """Run every trial that is left, as many at once as the resources allow.

    Args:
        study: gives the trials and takes what they report.
        plan: recipe, data and resources of a trial.
        folder: of the run; every node must see it under this path.
        root: the folder of the data sets; every node must see it under this path.
        address: of a running Ray cluster; None starts Ray on this machine.

    Raises:
        ConfigError: no cluster at the address, a trial asks for more than there is, or the
            workers cannot start.
        OSError: the journal cannot be written.
    """
    with connected(address) as connection:
        there = ray.cluster_resources()  # type: ignore[no-untyped-call]  # Ray has no type for it
        broker = Broker(study, _slots(plan, there))
        scratch = tempfile.TemporaryDirectory(prefix="res2net-ray-")
        with scratch as name, connection.watched(broker):
            _tune(broker, plan, scratch=name, paths=(folder, root))
    if broker.failure is not None:
        raise broker.failure


def _tune(broker: Broker, plan: StudyPlan, *, scratch: str, paths: tuple[Path, Path]) -> None:
    folder, root = (str(path.resolve()) for path in paths)
    trainable = tune.with_resources(
        tune.with_parameters(
            TrialActor,
            study=plan.model_dump(),
            folder=folder,
            root=root,
            path=[*sys.path],
            here=str(Path.cwd()),
        ),
        {"cpu": plan.resources.cpu, "gpu": plan.resources.gpu},
    )
    tune.Tuner(
        trainable,
        tune_config=tune.TuneConfig(
            search_alg=_Proposer(broker),
            scheduler=_Reporter(broker),
            num_samples=-1,
            reuse_actors=True,  # a fresh process per trial costs seconds
        ),
        run_config=tune.RunConfig(
            name=plan.study,
            storage_path=scratch,
            verbose=0,
            # A trial that fails is a result; a worker that dies is too.
            failure_config=tune.FailureConfig(max_failures=0),
            checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),
        ),
    ).fit()


def _slots(plan: StudyPlan, there: dict[str, float]) -> int:
    """How many trials fit at once."""
    asked = {"CPU": float(plan.resources.cpu), "GPU": plan.resources.gpu}
    for kind, wanted in asked.items():
        if wanted > there.get(kind, 0):
            raise ConfigError(
                f"resources.{kind.lower()}: a trial asks for {wanted:g}, but there are "
                f"{there.get(kind, 0):g}; lower it, or give the --address of a larger cluster"
            )
    # A fifth of a GPU fits five times, whatever floats say of 1 / 0.2.
    return int(min(there[kind] / wanted + 1e-9 for kind, wanted in asked.items() if wanted))


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
        """A turn of the trial; what came of it as text, so that Ray leaves it as it is."""
        epoch, ended = self._trial.step()
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
        self._trial.save()


class _Proposer(Searcher):
    """Ray asks it for trials, and tells it how they ended."""

    def __init__(self, broker: Broker) -> None:
        super().__init__()
        self._broker = broker

    # FINISHED is a str, which Ray's annotation forgets.
    def suggest(self, trial_id: str) -> dict[str, Any] | str | None:  # type: ignore[override]
        return Searcher.FINISHED if self._broker.over else self._broker.suggest(trial_id)

    def on_trial_complete(
        self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False
    ) -> None:
        self._broker.complete(trial_id, None if error else result)

    def save(self, checkpoint_path: str) -> None:
        """Nothing: the journal has it."""

    def restore(self, checkpoint_path: str) -> None:
        """Nothing: the journal has it."""

    def __getstate__(self) -> dict[str, Any]:
        """Ray pickles what it is given, to restore it some day; we never do."""
        return {}


class _Reporter(FIFOScheduler):
    """Ray tells it every epoch but a trial's last, and asks whether to go on."""

    def __init__(self, broker: Broker) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Ray has no type for it
        self._broker = broker

    def __getstate__(self) -> dict[str, Any]:
        """As of the proposer: nothing to restore."""
        return {}

    def on_trial_result(
        self,
        tune_controller: Any,  # noqa: ARG002 - Ray's signature
        trial: RayTrial,  # noqa: ARG002
        result: dict[str, Any],
    ) -> str:
        stop = self._broker.report(result)
        return TrialScheduler.STOP if stop else TrialScheduler.CONTINUE

    def on_trial_error(self, tune_controller: Any, trial: RayTrial) -> None:  # noqa: ARG002
        failure = worker_failure(_cause(trial))
        if failure.cannot_start:
            self._broker.cannot_start(failure.reason)
        self._broker.error(trial.trial_id, failure.reason, failure.status)


class WorkerFailure(NamedTuple):
    """What Ray's words say of a worker that is gone."""

    reason: str
    status: Status
    cannot_start: bool  # no worker of this study could


def worker_failure(text: str) -> WorkerFailure:
    """Read what Ray wrote of a failed worker: the last line that says something."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    status = Status.OUT_OF_MEMORY if _NO_MEMORY in text else Status.FAILED
    reason = lines[-1] if lines else "no reason given"
    return WorkerFailure(reason, status, _CANNOT_START in text)


def _cause(trial: RayTrial) -> str:
    """What Ray noted of a worker that failed; `get_error` looks where it is copied later."""
    path = Path(trial.error_file or "")
    return path.read_text(encoding="utf-8") if path.is_file() else ""
