"""Finds the predictions of two networks of a run for the same images.

Input: a run whose task saves pictures of scenes beside the kept weights of its networks.
Output: the best network that has pictures, and the best one with a different scale for
comparison.
"""

import re
from pathlib import Path
from typing import Any, NamedTuple

from analysis.runs.networks import networks
from analysis.runs.run import Run, RunError
from search.scenes.pictured import SUFFIX, Pictured, read


class Seen(NamedTuple):
    """The predictions of a network.

    Attributes:
        name: name of the network.
        score: its mean on the test images.
        scenes: predictions for the first test images.
        facts: facts about the task: names of classes or of joints.
    """

    name: str
    score: float
    scenes: list[Pictured]
    facts: dict[str, Any]


def has_pictures(run: Run) -> bool:
    """Whether any network of a run has pictures, be they of its confirmation."""
    return any((run.folder / "networks").glob(f"*{SUFFIX}"))


def pictured(run: Run) -> list[Seen]:
    """The networks whose pictures are shown, the better one first.

    Args:
        run: finished or not.

    Returns:
        The best network that has pictures, and the best with a different scale, otherwise the
        second best; only one where no other has pictures.

    Raises:
        RunError: no network has pictures; states what to do.
    """
    frame = networks(run)
    frame = frame[[_file(run, name) is not None for name in frame["name"]]]
    if frame.empty:
        raise RunError(
            f"{run.folder}: no network of the search has pictures: tasks on scenes keep them "
            "beside weights; write keep: {best: 2}"
        )
    first = frame.iloc[0]
    others = frame.iloc[1:]
    elsewhere = others[others["scale"] != first["scale"]]
    shown = [
        first,
        *(one for _, one in (elsewhere if len(elsewhere) else others)[:1].iterrows()),
    ]
    return [_seen(run, one["name"], float(one["test_mean"])) for one in shown]


def _file(run: Run, name: str) -> Path | None:
    """The picture file of a network's first seed in the search; None if none has one.

    Those of its confirmation, which has other seeds and lengths, do not go with its score.
    """
    ours = re.compile(rf"{re.escape(name)}-(?:try\d+-)?seed(\d+){re.escape(SUFFIX)}")
    found = [
        (int(match[1]), path)
        for path in (run.folder / "networks").glob(f"*{SUFFIX}")
        if (match := ours.fullmatch(path.name))
    ]
    return min(found)[1] if found else None


def _seen(run: Run, name: str, score: float) -> Seen:
    path = _file(run, name)
    assert path is not None, "networks without pictures are left out"
    try:
        scenes, facts = read(path)
    except (OSError, ValueError) as error:
        raise RunError(
            f"{error}; remove the file to see those of the other networks"
        ) from error
    return Seen(name, score, scenes, facts)
