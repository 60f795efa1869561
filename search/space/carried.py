"""Finds the trained weights of other studies for the networks of a space. No torch here.

Takes the places that a space file names and the candidates inside the budget. Gives the
candidates that have weights of every seed, and a file for each network and seed. A network here
is the same as one there if they differ at most in the number of classes.
"""

import hashlib
import itertools
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from res2net import Architecture
from res2net.file_names import path_of, printable
from search.schema.metrics import VALIDATION
from search.schema.tasks import TASKS
from search.schema.transfer import PlannedTransfer, SourceObjective, SourceWeights, Transfer
from search.schema.yaml import ConfigError, Document
from search.space.axis import SETTINGS
from search.space.configuration import architecture_from_json
from search.space.survey import Survey

SUFFIX = ".safetensors"
_PLACE = ("transfer", "from")
_LISTED = 5  # names in a message


class TransferError(ValueError):
    """What is wrong with the places of a transfer, and the remedy."""


class Kept(NamedTuple):
    """A file of trained weights, and what the .json file beside it records."""

    place: str  # as the space file gives it
    path: Path
    network: Architecture
    phase: str
    repeat: int
    sha256: str
    scores: dict[str, float]
    objective: SourceObjective | None


class Carried(NamedTuple):
    """The candidates that have trained weights, and these weights."""

    survey: Survey
    transfer: PlannedTransfer


def carried(surveyed: Survey, transfer: Transfer, seeds: int, document: Document) -> Carried:
    """Keep only the candidates that have trained weights of every seed.

    Args:
        surveyed: the candidates inside the budget, at least one.
        transfer: gives the places.
        seeds: number of seeds of each network.
        document: gives the places of the space file's values.

    Raises:
        ConfigError: a place holds no usable weights, a file is damaged, or no candidate has
            weights of every seed.
    """
    try:
        found = [one for place in transfer.sources for one in kept_at(place, transfer.phase)]
        return _matched(surveyed, found, transfer, seeds)
    except TransferError as error:
        raise ConfigError(f"{document.place(_PLACE)}: transfer.from: {error}") from error


def kept_at(place: str, phase: str) -> list[Kept]:
    """The trained weights at a place: for a folder those of a phase, else the file itself.

    Raises:
        TransferError: the place does not exist, or holds none.
    """
    path = path_of(place)
    if path.is_file():
        if path.suffix != SUFFIX:
            raise TransferError(f"{place} is not a {SUFFIX} file; write one, or a run's folder")
        return [_kept(place, path)]
    if not path.is_dir():
        raise TransferError(
            f"{place} does not exist; write a run's folder, such as runs/<study>"
        )
    folder = path / "networks" if (path / "networks").is_dir() else path
    every = [_kept(place, one) for one in sorted(folder.glob(f"*{SUFFIX}"))]
    if not every:
        raise TransferError(
            f"{place} contains no trained weights; run that study with keep: {{best: N}}, "
            "where N is the number of networks to take along"
        )
    chosen = [one for one in every if one.phase == phase]
    if not chosen:
        raise TransferError(
            f"{place} contains no weights of its {phase}; write transfer: {{phase: "
            f"{every[0].phase}}} for the others that it contains"
        )
    return chosen


def _kept(place: str, path: Path) -> Kept:
    beside = path.with_suffix(".json")
    try:
        about = json.loads(beside.read_bytes())
        return Kept(
            place,
            path,
            architecture_from_json(about["architecture"]),
            about["phase"],
            int(about["repeat"]),
            str(about["sha256"]),
            {str(name): float(value) for name, value in about["metrics"].items()},
            _objective(about),
        )
    except FileNotFoundError as error:
        raise TransferError(
            f"{path} has no {beside.name} beside it, which says which network it is; restore "
            "both from a copy"
        ) from error
    except (AttributeError, LookupError, OSError, TypeError, ValueError) as error:
        raise TransferError(
            f"{beside} does not say which network lies beside it "
            f"({type(error).__name__}: {error}); restore both from a copy"
        ) from error


def _objective(about: Mapping[str, Any]) -> SourceObjective | None:
    """How the networks were compared there; by their task where the file does not say."""
    if "objective" in about:
        return SourceObjective.model_validate(about["objective"])
    task = about.get("task", "classification")
    if task not in TASKS.ours:
        return None
    name, direction, unit, complement = TASKS[task].metrics[0]
    return SourceObjective(
        name=f"{VALIDATION}{name}", direction=direction, unit=unit, complement=complement
    )


def _matched(surveyed: Survey, found: list[Kept], transfer: Transfer, seeds: int) -> Carried:
    classes = surveyed.architecture(0).classes
    candidates, files, outside = _of_candidates(surveyed, found, classes)
    if not files:
        raise TransferError(_none_inside(surveyed, found))
    whole = [name for name, had in files.items() if {*range(seeds)} <= had.keys()]
    short = [
        f"{name} (seed{'s' * (len(had) > 1)} {', '.join(map(str, sorted(had)))})"
        for name, had in files.items()
        if name not in whole
    ]
    if not whole:
        raise TransferError(
            f"no network has trained weights for all {seeds} seeds of search.seeds, only "
            f"{_listed(short)}; write fewer seeds, or give a study that had as many from its "
            "start (weights it dropped before seeds were added are gone)"
        )
    members = np.array(sorted(c for name in whole for c in candidates[name]), dtype=np.intp)
    taken = [files[name][repeat] for name in whole for repeat in range(seeds)]
    objectives = {one.objective for one in taken}
    planned = PlannedTransfer.model_validate(
        transfer.model_dump()
        | {
            "files": tuple(_checked(one, classes) for one in taken),
            "objective": objectives.pop() if len(objectives) == 1 else None,
            "outside": tuple(outside),
            "short": tuple(short),
        }
    )
    return Carried(_narrowed(surveyed, members), planned)


def _of_candidates(
    surveyed: Survey, found: list[Kept], classes: int
) -> tuple[dict[str, list[int]], dict[str, dict[int, Kept]], list[str]]:
    """By network its candidates, and its files by seed; and the networks outside the space."""
    settings = list(_settings(surveyed))
    candidates: dict[str, list[int]] = {}
    files: dict[str, dict[int, Kept]] = defaultdict(dict)
    outside: dict[str, None] = {}
    for one in found:
        network = _with_classes(one.network, classes)
        there = [surveyed.candidate(network, each) for each in settings]
        inside = [candidate for candidate in there if candidate is not None]
        if not inside:
            outside[one.network.name] = None
            continue
        other = files[network.name].setdefault(one.repeat, one)
        if other.sha256 != one.sha256:
            raise TransferError(
                f"{other.path} and {one.path} are both of {network.name}, seed {one.repeat}; "
                "leave one out, or give the file to use"
            )
        candidates[network.name] = inside
    return candidates, files, list(outside)


def _settings(surveyed: Survey) -> Iterator[dict[str, Any]]:
    """All combinations of the settings that the space varies besides the network."""
    varied = {d.name: d.values for d in surveyed.dimensions if d.name in SETTINGS}
    for values in itertools.product(*varied.values()):
        yield dict(zip(varied, values, strict=True))


def _with_classes(network: Architecture, classes: int) -> Architecture:
    return replace(network, classes=classes)


def _checked(one: Kept, classes: int) -> SourceWeights:
    """The file as a plan has it, after a check of its digest."""
    try:
        digest = digest_of(one.path)
    except OSError as error:
        raise TransferError(f"{one.path} cannot be read ({error.strerror})") from error
    if digest != one.sha256:
        raise TransferError(
            f"{one.path} is damaged (its SHA-256 is {digest[:12]}, recorded beside it is "
            f"{one.sha256[:12]}); restore both files from a copy"
        )
    return SourceWeights(
        network=_with_classes(one.network, classes).name,
        repeat=one.repeat,
        source=one.place,
        path=str(one.path),
        sha256=digest,
        scores=one.scores,
    )


def digest_of(path: Path) -> str:
    """The SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _narrowed(surveyed: Survey, members: Any) -> Survey:
    """A part of the candidates, with their bands and axes."""
    left = len(surveyed) - len(members)
    base = None if surveyed.base is None else np.flatnonzero(members == surveyed.base)
    if base is not None and not len(base):
        raise TransferError(
            f"has no trained weights of {surveyed.name(surveyed.base or 0)}, where the axes "
            "meet, so nothing could be compared with it; write another search.base"
        )
    reason = "without trained weights of every seed in transfer.from"
    return replace(
        surveyed.part(members),
        bands=surveyed.bands[members],
        base=None if base is None else int(base[0]),
        rejected={**surveyed.rejected, **({reason: left} if left else {})},
    )


def _none_inside(surveyed: Survey, found: list[Kept]) -> str:
    """The error that no network of the sources is a candidate, with a possible reason."""
    names = list(dict.fromkeys(one.network.name for one in found))
    channels, here = found[0].network.channels, surveyed.architecture(0).channels
    why = ""
    if channels != here:
        why = f"; its images have {channels} channels, these have {here}"
    elif surveyed.widths.any():
        why = "; width: fill solves for this budget, so list the widths that they have"
    return (
        f"none of its networks is in this space and inside its budget: {_listed(names)}{why}; "
        "write the network and budget that they have"
    )


def _listed(names: list[str]) -> str:
    more = len(names) - _LISTED
    shown = ", ".join(map(printable, names[:_LISTED]))
    return f"{shown} and {more} more" if more > 0 else shown
