"""Reports to MLflow: an experiment named after the study, a run for each trial, in files."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from search.schema.study_plan import StudyPlan
from search.study.events import Ended, Epoch, Started, Status
from search.trackers.base import last_of, numbers_of, settings_of

_TRIAL, _STATUS, _REASON = "trial", "status", "reason"  # tags of a run
_SOUND = (Status.OK, Status.PRUNED)
_LONGEST = 5000  # characters of a tag
_PAGE = 1000  # runs that are read at once
# MLflow uses a file store only if told to, and sends usage statistics unless it is told not
# to do so.
_WISHES = {"MLFLOW_ALLOW_FILE_STORE": "true", "MLFLOW_DISABLE_TELEMETRY": "true"}


class OfMlflow:
    """Writes MLflow runs.

    Args:
        folder: MLflow's store.
        plan: plan of the study, which gives the experiment its name.
    """

    def __init__(self, folder: Path, plan: StudyPlan) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        with _environment(_WISHES):  # MLflow reads both variables here
            from mlflow.tracking import MlflowClient  # noqa: PLC0415 - reads the variables

            self._client = MlflowClient(tracking_uri=folder.resolve().as_uri())
            found = self._client.get_experiment_by_name(plan.study)
        self._experiment: str = (
            found.experiment_id if found else self._client.create_experiment(plan.study)
        )
        self._runs: dict[int, str] = {}
        self._earlier = self._of_earlier_processes() if found else {}

    def begin(self, started: Started) -> None:
        """Make a run with its params, or continue the one that exists."""
        if started.trial in self._runs:  # it was lost or paused, and resumes
            return
        run = self._earlier.get(started.trial)
        if run is None:
            tags = {_TRIAL: str(started.trial)}
            made = self._client.create_run(
                self._experiment, tags=tags, run_name=f"{started.trial} {started.name}"
            )
            run = made.info.run_id
            for key, value in settings_of(started).items():
                self._client.log_param(run, key, value)
        else:
            self._client.update_run(run, status="RUNNING")
        self._runs[started.trial] = run

    def report(self, started: Started, epoch: Epoch) -> None:
        """Write the numbers of an epoch, at its number."""
        self._write(started, numbers_of(epoch), epoch.epoch)

    def end(self, started: Started, ended: Ended) -> None:
        """Write the scores of the test images, how it ended and why."""
        self._write(started, last_of(ended), ended.epochs)
        run = self._runs.pop(started.trial)
        self._client.set_tag(run, _STATUS, ended.status.value)
        # Also an empty one: a trial that was tried again may have ended otherwise before.
        self._client.set_tag(run, _REASON, ended.reason[:_LONGEST])
        sound = ended.status in _SOUND
        self._client.set_terminated(run, "FINISHED" if sound else "FAILED")

    def close(self) -> None:
        """Do nothing, as nothing is open; runs of live trials stay RUNNING."""

    def _write(self, started: Started, numbers: dict[str, float], step: int) -> None:
        for name, value in numbers.items():
            self._client.log_metric(self._runs[started.trial], name, value, step=step)

    def _of_earlier_processes(self) -> dict[int, str]:
        """The runs that earlier processes began, by trial.

        They are read only once: MLflow reads every run for each search.
        """
        found: dict[int, str] = {}
        token: str | None = None
        while True:
            page = self._client.search_runs(
                [self._experiment], max_results=_PAGE, page_token=token
            )
            for run in page:
                if (trial := run.data.tags.get(_TRIAL, "")).isdecimal():
                    found.setdefault(int(trial), run.info.run_id)
            token = page.token
            if not token:
                return found


@contextmanager
def _environment(wishes: dict[str, str]) -> Iterator[None]:
    """Set environment variables within the block, except those that are set already."""
    added = wishes.keys() - os.environ.keys()
    os.environ.update({name: wishes[name] for name in added})
    try:
        yield
    finally:
        for name in added:
            del os.environ[name]
