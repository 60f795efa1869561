"""The table of trackers, which receive what trials report. No torch here."""

import difflib
from collections.abc import Mapping
from typing import Any, NamedTuple


class TrackerFacts(NamedTuple):
    """Facts about a tracker.

    Its maker takes (folder, plan): a folder of its own inside the run's, and the study's plan.
    """

    maker: str
    package: str  # the package that it imports
    install: str  # its name for pip
    summary: str


TRACKERS: Mapping[str, TrackerFacts] = {
    "tensorboard": TrackerFacts(
        "search.trackers.of_tensorboard:OfTensorBoard",
        "tensorboard",
        "tensorboard",
        "event files of TensorBoard, a folder for each trial",
    ),
    "mlflow": TrackerFacts(
        "search.trackers.of_mlflow:OfMlflow",
        "mlflow",
        "mlflow",
        "an MLflow experiment in files, with a run for each trial",
    ),
    "wandb": TrackerFacts(
        "search.trackers.of_wandb:OfWandb",
        "wandb",
        "wandb",
        "offline runs of Weights & Biases, one for each trial, for `wandb sync`",
    ),
}


def tracker_names(value: Any) -> tuple[str, ...]:
    """A name in [trackers](#trackers), or a list of them.

    Raises:
        ValueError: an unknown name, or one given twice.
    """
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, (list, tuple)):
        raise ValueError(
            f"is not a list of trackers; write one with any of {', '.join(TRACKERS)}"
        )
    for name in names:
        if not isinstance(name, str) or name not in TRACKERS:
            near = difflib.get_close_matches(str(name), TRACKERS, n=1, cutoff=0.5)
            mean = f"did you mean {near[0]!r}? " if near else ""
            raise ValueError(
                f"contains {name!r}, which is not a tracker; {mean}write any of "
                f"{', '.join(TRACKERS)}"
            )
    if len(set(names)) < len(names):
        raise ValueError("contains a tracker twice; write each once")
    return tuple(names)
