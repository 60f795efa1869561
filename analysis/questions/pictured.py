"""Finds what two networks of a run said of the same images.

Goes in: a run whose task pictures scenes, beside the kept weights of its networks. Come out:
the best network that has pictures, and the best one of another scale beside it.
"""

import glob
from typing import Any, NamedTuple

from analysis.runs.networks import networks
from analysis.runs.run import Run, RunError
from search.scenes.pictured import SUFFIX, Pictured, read


class Seen(NamedTuple):
    """What a network said.

    Attributes:
        name: of the network.
        score: its mean on the test images.
        scenes: the first ones of the test images.
        facts: of the task: names of classes, or of joints.
    """

    name: str
    score: float
    scenes: list[Pictured]
    facts: dict[str, Any]


def has_pictures(run: Run) -> bool:
    """Whether some network of a run has pictures."""
    return any((run.folder / "networks").glob(f"*{SUFFIX}"))


def pictured(run: Run) -> list[Seen]:
    """The networks whose pictures are shown, the better first.

    Args:
        run: finished or not.

    Returns:
        The best that has pictures, and beside it the best of another scale, or else the second
        best; one where no other has any.

    Raises:
        RunError: none has pictures; with what to do.
    """
    frame = networks(run)
    frame = frame[[_file(run, name) is not None for name in frame["name"]]]
    if frame.empty:
        raise RunError(
            f"{run.folder}: no network has pictures: tasks on scenes keep them beside weights; "
            "write keep: {best: 2}"
        )
    first = frame.iloc[0]
    others = frame.iloc[1:]
    elsewhere = others[others["scale"] != first["scale"]]
    shown = [
        first,
        *(one for _, one in (elsewhere if len(elsewhere) else others)[:1].iterrows()),
    ]
    return [_seen(run, one["name"], float(one["test_mean"])) for one in shown]


def _file(run: Run, name: str) -> Any:
    """The pictures of a network's first seed that has any; None where none has."""
    pattern = f"{glob.escape(name)}-*{SUFFIX}"
    return next(iter(sorted((run.folder / "networks").glob(pattern))), None)


def _seen(run: Run, name: str, score: float) -> Seen:
    try:
        scenes, facts = read(_file(run, name))
    except (OSError, ValueError) as error:
        raise RunError(f"{error}; take the file away to see the other networks'") from error
    return Seen(name, score, scenes, facts)
