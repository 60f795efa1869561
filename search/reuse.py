"""Finds trials of other runs that a study need not train again (`--reuse`)."""

from collections.abc import Hashable, Iterator, Sequence
from importlib.metadata import version
from pathlib import Path

from rich.console import Console

from res2net import ArchitectureError
from res2net.file_names import printable, printable_data
from res2net.plugins import PluginError
from search.machine import moved
from search.schema.parts import Origin
from search.schema.settings import VARIABLE
from search.schema.study_plan import StudyPlan
from search.schema.yaml import ConfigError
from search.space.axis import SETTINGS
from search.space.configuration import Configuration
from search.space.survey import Survey
from search.study import manifest
from search.study.events import Ended, Started, Status
from search.study.history import History
from search.study.journal import JournalError, read
from search.study.reusing import Finished, finished_of, identity, values_of
from search.study.settings import settings_of
from search.study.starting import Starts

# Settings that may differ between trials are compared trial by trial.
_BY_TRIAL = (*(f"training.{key}" for key in VARIABLE), "data.resolution", "data.resize")
_GIVES_VALUES = ("varied", "lr_rule")  # they give trials their values
# Parts that affect only which trials there are, or that the plan already holds resolved.
_NOT_OF_TRIALS = ("search.", "scheduler", "training.recipe")


def reusable(
    folders: Sequence[Path],
    plan: StudyPlan,
    survey: Survey,
    parts: Sequence[Origin],
    console: Console,
) -> dict[Hashable, Finished]:
    """The finished trials of other runs that are also trials of a study, by their identity.

    Args:
        folders: folders of the runs; where several hold the same trial, the first counts.
        plan: plan of the study.
        survey: its candidates.
        parts: its foreign parts.
        console: where to report how many there are, and what came from another machine.

    Raises:
        ConfigError: a folder holds no readable run, its data or recipe differ, or this study
            measures networks on its device.
    """
    found: dict[Hashable, Finished] = {}
    if folders and plan.measured:
        names = ", ".join(one.name for one in plan.measured)
        raise ConfigError(
            f"--reuse: this study measures {names} of each network on its own device before "
            "training, which the trials of another run lack; leave --reuse out"
        )
    for folder in dict.fromkeys(folders):
        there = _comparable(folder, plan, parts)
        each, total = _finished(folder, _Fits(plan, survey, there.plan))
        for one in each:
            found.setdefault(identity(one.started, there.plan), one)
        console.print(
            f"reuse: {len(each)} of {total} finished trials of {folder} can be taken over: "
            "none of these is trained again",
            soft_wrap=True,
        )
        for note in _elsewhere(there, plan, each) if each else ():
            console.print(f"note: {folder}: {note}", soft_wrap=True)
    return found


def require_images(folders: Sequence[Path], left_out: Sequence[str]) -> None:
    """Make sure that the other runs left out the same images as this study.

    Raises:
        ConfigError: a run saw other images.
    """
    for folder in folders:
        there = manifest.read(folder)
        if there is None or there.left_out is None:
            continue
        changed = sorted({*there.left_out} ^ {*map(printable, left_out)})
        if changed:
            raise ConfigError(
                f"--reuse: the trials of {folder} saw other images; repaired or damaged "
                f"since: {'; '.join(changed[:5])}; leave it out"
            )


class _Fits:
    """Decides whether a trial of another run is one that this study would start."""

    def __init__(self, plan: StudyPlan, survey: Survey, there: StudyPlan) -> None:
        self._plan, self._survey, self._there = plan, survey, there
        self._starts = Starts(plan, survey, History(plan.ranking))
        varied = {axis.fields[0] for axis in survey.grid.axes}
        self._settings = varied.intersection(SETTINGS)

    def __call__(self, started: Started) -> int | None:
        """The candidate of the trial that this study would start; None where it would not."""
        plan = self._plan
        if started.phase == "confirm" and plan.confirm is None:
            return None
        try:
            network = started.network()
        except (ArchitectureError, PluginError):  # of a foreign skeleton that no longer exists
            return None
        values = values_of(started, self._there)
        tuned = {key: values[key] for key in self._tuned(started)}
        if any(value not in plan.varied[key] for key, value in tuned.items()):
            return None
        settings = {key: values[key] for key in self._settings}
        candidate = self._survey.candidate(network, settings)
        if candidate is None:
            return None
        configuration = Configuration(network.name, network, settings, tuned)
        ours = self._starts.start(started.phase, configuration, started.repeat)
        return candidate if identity(ours, plan) == identity(started, self._there) else None

    def _tuned(self, started: Started) -> set[str]:
        """The settings that are tuned here; a confirmation has its own number of epochs."""
        keys = {*self._plan.search.tune.keys} if self._plan.search.tune else set()
        return keys - {"epochs"} if started.phase == "confirm" else keys


def _comparable(folder: Path, plan: StudyPlan, parts: Sequence[Origin]) -> manifest.Manifest:
    """The manifest of a run that may hold trials of this study."""
    there = manifest.read(folder)
    if there is None:
        raise ConfigError(
            f"--reuse: {folder} is not the folder of a run; give one such as runs/<study>"
        )
    if there.version != manifest.VERSION:
        raise ConfigError(
            f"--reuse: {folder} is from another version of this project (its record is of "
            f"version {there.version}, this is {manifest.VERSION}), whose trials differ; "
            "leave it out"
        )
    if there.plan.execution.replay:
        raise ConfigError(
            f"--reuse: {folder} is a replay, which trained nothing; give the run that it "
            "replays"
        )
    differences = [*_differences(there.plan, plan), *_other_parts(there.parts, parts)]
    if differences:
        raise ConfigError(
            f"--reuse: no trial of {folder} is one of this study: {'; '.join(differences)}; "
            "write the same settings, or leave it out"
        )
    return there


def _differences(there: StudyPlan, plan: StudyPlan) -> Iterator[str]:
    had, have = settings_of(there), printable_data(settings_of(plan))
    had["search.seed"], have["search.seed"] = there.search.seed, plan.search.seed
    for key in dict.fromkeys((*had, *have)):
        if key in _BY_TRIAL or key.startswith(_GIVES_VALUES):
            continue
        if had.get(key) != have.get(key):
            yield f"{key} is {had.get(key)!r} there and {have.get(key)!r} here"


def _other_parts(there: Sequence[Origin], parts: Sequence[Origin]) -> Iterator[str]:
    digests = {(one.key, one.name): one.digest for one in there}
    for one in parts:
        if one.key.startswith(_NOT_OF_TRIALS):
            continue
        if digests.get((one.key, one.name), one.digest) != one.digest:
            yield f"{one.key}: {one.name} has changed since"


def _finished(folder: Path, fits: _Fits) -> tuple[list[Finished], int]:
    """The trials that fit, and the total number of finished trials."""
    try:
        records = read(folder)
    except JournalError as error:
        raise ConfigError(f"--reuse: {folder}: {error}") from error
    total = sum(isinstance(one, Ended) and one.status is Status.OK for one in records)
    return finished_of(folder, records, fits), total


def _elsewhere(
    there: manifest.Manifest, plan: StudyPlan, found: Sequence[Finished]
) -> Iterator[str]:
    """What may make its trials differ from trials trained here."""
    if there.plan.data.root != plan.data.root:
        root = there.plan.data.root
        yield f"its images were those of {root}; here they are of {plan.data.root}"
    if plan.resources.gpu:
        if devices := sorted({one.ended.device for one in found if one.ended.device}):
            yield f"trained on {', '.join(devices)}; another kind of GPU may round differently"
    elif why := moved(there.starts):
        yield why
    torch, here = there.starts[-1].get("versions", {}).get("torch"), version("torch")
    if torch and torch != here:
        yield f"it was trained with torch {torch}; here is {here}, which may round differently"
