"""The Ray executor runs trials through Ray Tune, on one machine or a cluster.

Ray is only an executor: the `Study` decides what runs next, when it stops and what is kept.
Ray's own state is in a temporary folder and is never read back.
"""

import os
import re
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

from ray import tune
from ray.tune.experiment import Trial as RayTrial
from ray.tune.schedulers import FIFOScheduler, TrialScheduler
from ray.tune.search import Searcher

from search.executors.actor import OF_NODE, NodeError, TrialActor
from search.executors.broker import Broker
from search.executors.connection import RayLostError, connected
from search.executors.shipping import Shipped, shipped
from search.executors.silence import Silence
from search.executors.slots import Say, Slots, patience
from search.schema.study_plan import StudyPlan
from search.schema.yaml import ConfigError
from search.study.events import Status
from search.study.provenance import versions_of_training
from search.study.study import Study

_CANNOT_START = "creation task"  # in Ray's message about an error in a worker's set-up
_MOST_PENDING = 10_000  # trials that wait for a worker: as many as there may be slots
# In Ray's messages about a worker killed for lack of memory, now and in earlier versions.
_NO_MEMORY = ("running low on memory", "OutOfMemoryError")
_LONGEST = 300  # characters of a reason
_ADDRESS = re.compile(r"\bip(?:: |=)([\w.:]+)")  # of a worker's machine, in Ray's messages


def run_on_ray(
    study: Study, plan: StudyPlan, *, address: str | None, say: Say | None = None
) -> None:
    """Run every trial that is left, as many at once as the resources allow.

    Args:
        study: gives the trials and takes their reports.
        plan: recipe, data and resources of a trial.
        address: address of a running Ray cluster; None starts Ray on this machine.
        say: called with a line where a cluster has no machine for a trial yet.

    Raises:
        ConfigError: no cluster at the address, a trial asks for more than there is, or the
            workers cannot start.
        OSError: the journal cannot be written.
    """
    with (
        shipped(plan, away=address is not None) as code,
        connected(address, code.environment) as connection,
    ):
        slots, left = Slots(plan), study.deadline.left if study.deadline else None
        try:
            broker = Broker(study, slots.checked(say=say, patience=patience(address, left)))
        except ConfigError:
            if study.over:  # the time was up while it waited for a machine
                return
            raise
        # Otherwise Ray starts one worker at a time, as it assumes that a searcher learns from
        # each trial before the next; the broker decides how many run at once.
        os.environ["TUNE_MAX_PENDING_TRIALS_PG"] = str(_MOST_PENDING)
        scratch = tempfile.TemporaryDirectory(prefix="res2net-ray-")
        limit = study.deadline.left if study.deadline else None
        with scratch as name, connection.watched(broker, seconds=limit):
            _tune(broker, slots, plan, scratch=name, code=code)
    if connection.asked and isinstance(broker.failure, RayLostError):
        raise KeyboardInterrupt from broker.failure  # Ray died of the same signal
    if broker.failure is not None:
        raise broker.failure


def _tune(
    broker: Broker,
    slots: Slots,
    plan: StudyPlan,
    *,
    scratch: str,
    code: Shipped,
) -> None:
    trainable = tune.with_resources(
        tune.with_parameters(
            TrialActor,
            study=plan.model_dump(),
            path=code.path,
            here=code.here,
            away=code.environment is not None,
            made_with=versions_of_training(),
        ),
        {"cpu": plan.resources.cpu, "gpu": plan.resources.gpu},
    )
    tune.Tuner(
        trainable,
        tune_config=tune.TuneConfig(
            search_alg=_Proposer(broker, slots),
            scheduler=_Reporter(
                broker,
                Silence(broker, plan.resources.silence),
                away=code.environment is not None,
            ),
            num_samples=-1,
            reuse_actors=True,  # a fresh process per trial costs seconds
        ),
        run_config=tune.RunConfig(
            name=plan.study,
            storage_path=scratch,
            verbose=0,
            # A failed trial is a result, and so is a dead worker: Ray must not retry.
            failure_config=tune.FailureConfig(max_failures=0),
            checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),
        ),
    ).fit()


class _Proposer(Searcher):
    """Ray asks it for trials, and tells it how they ended."""

    def __init__(self, broker: Broker, slots: Slots) -> None:
        super().__init__()
        self._broker, self._slots = broker, slots

    # FINISHED is a str, which Ray's annotation omits.
    def suggest(self, trial_id: str) -> dict[str, Any] | str | None:  # type: ignore[override]
        self._broker.slots = self._slots.now()
        return Searcher.FINISHED if self._broker.over else self._broker.suggest(trial_id)

    def on_trial_complete(
        self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False
    ) -> None:
        self._broker.complete(trial_id, None if error else result)

    def save(self, checkpoint_path: str) -> None:
        """Do nothing: the journal has it."""

    def restore(self, checkpoint_path: str) -> None:
        """Do nothing: the journal has it."""

    def __getstate__(self) -> dict[str, Any]:
        """Give Ray nothing to pickle: it would do so for a restore, which we never use."""
        return {}


class _Reporter(FIFOScheduler):
    """Ray reports every epoch but a trial's last to it, and asks whether to continue."""

    def __init__(self, broker: Broker, silence: Silence, *, away: bool) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Ray has no type for it
        self._broker, self._silence, self._away = broker, silence, away
        self._waiting: list[RayTrial] = []

    def on_trial_add(self, tune_controller: Any, trial: RayTrial) -> None:  # noqa: ARG002
        self._waiting.append(trial)
        self._silence.watch(trial)

    def choose_trial_to_run(self, tune_controller: Any) -> RayTrial | None:  # noqa: ARG002
        """Give a free worker to the newest trial; earlier ones wait for their own workers.

        If the oldest took it, as in Ray's own rule, the worker that is starting for it would be
        given up, and with short trials there would never be a second worker. Ray's rule also
        looks through all past trials at every turn, and Ray asks this at least every tenth of a
        second.
        """
        self._silence.look()
        while self._waiting and self._waiting[-1].status != RayTrial.PENDING:
            self._waiting.pop()
        return self._waiting[-1] if self._waiting else None

    def __getstate__(self) -> dict[str, Any]:
        """Give Ray nothing to pickle, as for the proposer."""
        return {}

    def on_trial_result(
        self,
        tune_controller: Any,  # noqa: ARG002 - Ray's signature
        trial: RayTrial,
        result: dict[str, Any],
    ) -> str:
        self._silence.heard(trial)
        stop = self._broker.report(result)
        return TrialScheduler.STOP if stop else TrialScheduler.CONTINUE

    def on_trial_complete(
        self,
        tune_controller: Any,  # noqa: ARG002 - Ray's signature
        trial: RayTrial,
        result: dict[str, Any],  # noqa: ARG002
    ) -> None:
        self._silence.forget(trial)

    def on_trial_error(self, tune_controller: Any, trial: RayTrial) -> None:  # noqa: ARG002
        self._silence.forget(trial)
        failure = worker_failure(_cause(trial))
        if failure.cannot_start:
            self._broker.cannot_start(failure.reason)
        node = failure.node if self._away else ""
        self._broker.error(trial.trial_id, failure.reason, failure.status, node=node)


class WorkerFailure(NamedTuple):
    """What Ray's message says about a worker that is gone."""

    reason: str
    status: Status
    cannot_start: bool  # no worker of this study can start
    node: str  # address of its machine; empty where Ray does not say, or the reason does


def worker_failure(text: str) -> WorkerFailure:
    """Read Ray's message about a failed worker: the line about memory, or the last line."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    short = [line for line in lines if any(words in line for words in _NO_MEMORY)]
    status = Status.OUT_OF_MEMORY if short else Status.FAILED
    reason = (short or lines[-1:] or ["no reason given"])[0][:_LONGEST]
    reason = reason.removeprefix(f"{NodeError.__module__}.{NodeError.__qualname__}: ")
    # The last line is the error's own, and may say anything.
    cannot_start = any(_CANNOT_START in line for line in lines[:-1])
    named = None if reason.startswith(OF_NODE) else _ADDRESS.search(text)
    return WorkerFailure(reason, status, cannot_start, named[1] if named else "")


def _cause(trial: RayTrial) -> str:
    """Ray's record of a worker's failure; `get_error` reads a copy that is made later."""
    path = Path(trial.error_file or "")
    return path.read_text(encoding="utf-8") if path.is_file() else ""
