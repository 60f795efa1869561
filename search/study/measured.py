"""Measures from a run how far scores spread between seeds, for the plan of another study."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from search.design.spread import Spread, spread_of
from search.schema.study_plan import StudyPlan
from search.schema.yaml import ConfigError
from search.study import journal, manifest
from search.study.differences import flat
from search.study.history import History
from search.study.manifest import Manifest

# Keys that determine the images; where and how these are stored does not matter.
_IMAGES = (
    "name",
    "train",
    "validation",
    "classes",
    "images_per_class",
    "resolution",
    "resize",
    "channels",
)

_ROUNDING = 1e-9  # a spread below this is due to rounding


class Measured(NamedTuple):
    """The spread between seeds that a run shows.

    Attributes:
        spread: spread of the ranking metric, on the validation images.
        notes: what differs between the run and the study, one line each.
    """

    spread: Spread
    notes: tuple[str, ...]


def measured_spread(folder: Path, plan: StudyPlan) -> Measured:
    """Measure the spread between seeds in a run with the same data and metric.

    Args:
        folder: folder of the run, finished or not.
        plan: plan of the study that is being planned.

    Raises:
        ConfigError: there is no run, it saw other images or is ranked by another metric, or
            fewer than two of its networks share two seeds.
        JournalError: its journal cannot be read.
    """
    place = f"--spread {folder}"
    noted = manifest.read(folder)
    if noted is None or not (folder / journal.FILE).is_file():
        raise ConfigError(
            f"{place}: contains no run ({manifest.FILE} and {journal.FILE}); give the folder "
            "of one, such as runs/quickstart"
        )
    _check_alike(place, noted, plan)
    spread = spread_of(_scores(folder, noted))
    if not spread.df:
        raise ConfigError(
            f"{place}: fewer than two of its networks share two seeds, so it says nothing "
            "about chance; give a run with search.seeds of 2 or more, or resume it with "
            "--set search.seeds=2"
        )
    if not spread.sigma > _ROUNDING:
        raise ConfigError(
            f"{place}: the ranking metric is the same for all seeds of each network, or "
            "differs by seed alone, so it says nothing about chance; check whether the seeds "
            "were different, or give another run"
        )
    return Measured(spread, tuple(_notes(noted.plan, plan)))


def _check_alike(place: str, noted: Manifest, plan: StudyPlan) -> None:
    ranking = next(one for one in noted.objectives if one.source == "reported")
    if ranking.name != plan.ranking.name:
        raise ConfigError(
            f"{place}: its networks are ranked by {ranking.name}, those of this study by "
            f"{plan.ranking.name}, which spreads differently; give a run that is ranked by it"
        )
    there, here = noted.plan.data, plan.data
    keys = (*_IMAGES, "digest") if there.digest and here.digest else _IMAGES
    other = [
        f"data.{key}: there {getattr(there, key)}, here {getattr(here, key)}"
        for key in keys
        if getattr(there, key) != getattr(here, key)
    ]
    if other:
        raise ConfigError(
            f"{place}: saw other images ({'; '.join(other)}), on which the spread depends; "
            "give a run of the same data"
        )


def _scores(folder: Path, noted: Manifest) -> np.ndarray[Any, np.dtype[np.float64]]:
    """(networks, seeds) of the ranking metric; NaN where a trial was not trained completely.

    For a network with tuned settings, only the chosen try counts: the other tries differ from
    its other seeds in more than the seed.
    """
    ranking = next(one for one in noted.objectives if one.source == "reported")
    history = History(ranking, noted.objectives, tries=noted.plan.tries)
    for record in journal.read(folder, epochs=False):
        history.note(record)
    whole = [
        (started, value)
        for value, started, _ in history.whole("search")
        if started.repeat or history.chosen(started.name) == started.trial
    ]
    names = {name: i for i, name in enumerate(dict.fromkeys(s.name for s, _ in whole))}
    seeds = {seed: i for i, seed in enumerate(dict.fromkeys(s.seed for s, _ in whole))}
    scores = np.full((len(names), len(seeds)), np.nan)
    for started, value in whole:
        scores[names[started.name], seeds[started.seed]] = value
    return scores


def _notes(there: StudyPlan, here: StudyPlan) -> list[str]:
    """How the training differs, in one line."""
    before = dict(flat(there.training.model_dump(mode="json")))
    now = dict(flat(here.training.model_dump(mode="json")))
    other = [
        f"{key} {before.get(key)} there, {value} here"
        for key, value in now.items()
        if before.get(key) != value
    ]
    if not other:
        return []
    more = f" and {len(other) - 3} more" if len(other) > 3 else ""
    return [
        f"trained differently from this study ({'; '.join(other[:3])}{more}): the spread may "
        "differ"
    ]
