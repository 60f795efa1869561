"""The actor: a process of the cluster, around the worker that runs its trials."""

import os
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ray
from ray import tune

from search.schema.files import in_words
from search.schema.study_plan import StudyPlan
from search.study.provenance import versions_of_training

if TYPE_CHECKING:
    from search.executors.worker import Worker


OF_NODE = "on node"  # begins the message of a `NodeError`


class NodeError(RuntimeError):
    """No worker can be set up on a machine; the message says on which, and why."""


class TrialActor(tune.Trainable):
    """A process that runs trials one after another."""

    def setup(  # type: ignore[override]  # arguments of with_parameters
        self,
        config: dict[str, Any],
        *,
        study: dict[str, Any],
        path: list[str],
        here: str,
        away: bool,
        made_with: dict[str, str],
    ) -> None:
        """Load the images once, then the first trial.

        Raises:
            NodeError: a worker cannot be set up on this machine.
        """
        # Foreign parts are imported as in the driver, or were shipped to this folder.
        if not away:
            os.chdir(here)
        sys.path.extend(folder for folder in path if folder not in sys.path)
        self._away = away
        try:
            _check_versions(made_with)
            self._worker = _worker(study, Path(here), away=away)
        except Exception as error:
            raise NodeError(_of_this_node(error)) from error
        self.reset_config(config)

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Take the next trial."""
        self._worker.take(new_config)
        return True

    def step(self) -> dict[str, Any]:
        """Run a turn of the trial.

        Raises:
            LostError: the machine failed; Ray gives the trial another worker.
        """
        try:
            return self._worker.step()
        except Exception as error:
            if not self._away:
                raise
            raise NodeError(_of_this_node(error)) from error

    def cleanup(self) -> None:
        """Save the trained state when Ray stops the process between two turns."""
        self._worker.save()


def _check_versions(made_with: dict[str, str]) -> None:
    """Refuse other versions of libraries than the study's: trials would not be comparable."""
    other = [
        f"{name} {here} (the study has {made_with[name]})"
        for name, here in versions_of_training().items()
        if _release(made_with.get(name, here)) != _release(here)
    ]
    if other:
        raise ValueError(f"it has {', '.join(other)}; install the same on every machine")


def _release(version: str) -> str:
    """A version without what says for which device it was built, as 2.15.0+cpu does."""
    return version.partition("+")[0]


def _worker(study: dict[str, Any], here: Path, *, away: bool) -> "Worker":
    # With it comes torch, which the process that starts the study need not wait for.
    from search.executors.worker import Worker  # noqa: PLC0415 - see above

    return Worker(StudyPlan.model_validate(study), here, away=away)


def _of_this_node(error: Exception) -> str:
    """Say in one line where a worker could not be set up, and why."""
    why = in_words(error) if isinstance(error, OSError) else str(error)
    address = ray.util.get_node_ip_address()  # type: ignore[no-untyped-call]  # it has no type
    return f"{OF_NODE} {socket.gethostname()} ({address}): {' '.join(why.split())}"
