"""A study from its space file to its result: what the commands and the Python API both do."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console
from ruamel.yaml import YAML

from res2net.plugins import PluginError
from search.executors.signals import sigterm_as_ctrl_c
from search.images.preparing import make_ready
from search.progress import Progress
from search.schema.origins import origins
from search.schema.parts import Origin
from search.schema.space_file import SpaceFile
from search.schema.study_plan import StudyPlan
from search.schema.units import format_amount, seconds
from search.schema.yaml import ConfigError, Document, read_text
from search.space.load import check, load_space
from search.space.resolve import resolve
from search.space.survey import Survey
from search.study import manifest
from search.study.deadline import Deadline
from search.study.events import Ended, Epoch, Started
from search.study.journal import FILE, Journal
from search.study.observer import Callback
from search.study.study import Study


class Request(NamedTuple):
    """How a study is to be run; see the options of `python -m search.run`."""

    out: Path | None = None
    time_limit: str | None = None
    address: str | None = None
    inline: bool = False
    command: tuple[str, ...] = ()  # that goes on with it
    on_event: Callable[[Started | Epoch | Ended], None] | None = None


@dataclass(frozen=True)
class Trial:
    """A trial of a study: its start, and its end, None while it is under way."""

    started: Started
    ended: Ended | None

    @property
    def name(self) -> str:
        """Canonical name of the network."""
        return self.started.name

    @property
    def metrics(self) -> Mapping[str, float]:
        """What it reported at its end."""
        return self.ended.metrics if self.ended else {}


@dataclass(frozen=True)
class StudyResult:
    """What came of a study.

    Attributes:
        plan: as it was run.
        folder: of the run.
        trials: in the order they were started.
        best: the first trial of the best network of the search, None where none was whole.
        weights: kept files, those of the best networks first.
        finished: whether nothing is left to run.
        out_of_time: whether the time limit ended it.
    """

    plan: StudyPlan
    folder: Path
    trials: tuple[Trial, ...]
    best: Trial | None
    weights: tuple[Path, ...]
    finished: bool
    out_of_time: bool


class Space(NamedTuple):
    """A space file that was read: what it says, and where each of its values stands."""

    file: SpaceFile
    document: Document


@dataclass(frozen=True)
class Prepared:
    """A study that can begin."""

    space: Space
    plan: StudyPlan
    survey: Survey
    parts: tuple[Origin, ...]


def open_space(
    space: Space | Path | str | Mapping[str, Any], overrides: Sequence[str] = ()
) -> Space:
    """Read a space from a file, or from a mapping of the same keys.

    Raises:
        ConfigError: everything that is wrong with it.
    """
    if isinstance(space, Space):
        return space
    if isinstance(space, Mapping):
        # Written out, so that a mistake in it has a line like any other.
        yaml = YAML()
        import io  # noqa: PLC0415

        text = io.StringIO()
        yaml.dump(json.loads(json.dumps(space, default=list)), text)
        return Space(*check(read_text(text.getvalue(), Path("space"), tuple(overrides))))
    return Space(*load_space(Path(space), tuple(overrides)))


def prepare(space: Space) -> Prepared:
    """Count everything and try foreign parts; nothing is written.

    Raises:
        ConfigError: something cannot be, with its place.
    """
    try:
        resolved = resolve(*space)
        parts = origins(*space)
        if parts:
            from search.engine.checking import check_parts  # noqa: PLC0415 - imports torch

            check_parts(resolved.plan, resolved.survey, Path(space.file.data.root))
    except PluginError as error:
        raise ConfigError(f"{space.document.path}: {error}") from error
    return Prepared(space, *resolved, parts)


def run(prepared: Prepared, request: Request, console: Console) -> tuple[Study, StudyResult]:
    """Run what is left of a study, or go on with it.

    Raises:
        ConfigError: it cannot be run so, or the folder holds another study.
        JournalError: the folder's journal cannot be read.
    """
    space, plan, survey, parts = (
        prepared.space,
        prepared.plan,
        prepared.survey,
        prepared.parts,
    )
    deadline = deadline_of(request.time_limit)
    folder = request.out or Path("runs") / plan.study
    begun = (folder / FILE).exists()
    left_out: tuple[str, ...] = ()
    if not begun:  # what cannot run leaves no folder behind; what has ended needs no images
        left_out = _require(space, plan, console, request)
        plan = packed(prepared, console, inline=request.inline)
    with Journal(folder) as journal:
        plan = manifest.going_on(folder, plan, parts)
        study = Study(plan, survey, journal, deadline)
        ended = len(study.history.ends)
        if study.finished:
            console.print(f"nothing to run: all {ended} trials of {plan.study} have ended")
            study.tidy()
            return study, _result(study, folder)
        if begun:
            left_out = _require(space, plan, console, request)
            manifest.same_images(folder, left_out)
            live = len(study.history.live)
            console.print(f"going on: {ended} trials have ended, {live} interrupted")
            plan = plan.with_gpu(packed(prepared, console, inline=request.inline).resources.gpu)
        manifest.note(
            folder,
            plan,
            space=space.document.text,
            command=request.command,
            parts=parts,
            left_out=left_out,
        )
        _execute(study, plan, folder, request, console)
        study.tidy()
        return study, _result(study, folder)


def packed(prepared: Prepared, console: Console, *, inline: bool) -> StudyPlan:
    """The plan with a measured share of a GPU where the file says auto."""
    plan, document = prepared.plan, prepared.space.document
    if prepared.space.file.resources.gpu != "auto" or inline:
        return plan
    from search.profiling.packing import pack  # noqa: PLC0415 - imports torch

    packing = pack(plan, prepared.survey, place=document.place(("resources", "gpu")))
    rates = ", ".join(f"{n}: {rate:,.0f}" for n, rate in packing.images_per_s.items())
    console.print(
        f"gpu: auto: {packing.trials} trials on one GPU (images/s of all together by their "
        f"number: {rates}; the dearest takes {format_amount(packing.memory)}B)"
    )
    return plan.with_gpu(1 / packing.trials)


def deadline_of(limit: str | None) -> Deadline | None:
    """When a start must end.

    Raises:
        ConfigError: the limit is no time.
    """
    try:
        return None if limit is None else Deadline(seconds(limit))
    except ValueError as error:
        raise ConfigError(f"--time-limit: {error}") from error


def require_resources(space: Space) -> None:
    """Make sure that this machine has what a trial takes.

    Raises:
        ConfigError: it has not.
    """
    resources, document = space.file.resources, space.document
    there: dict[str, float] = {"cpu": os.cpu_count() or 1}
    if resources.gpu:
        import torch  # noqa: PLC0415 - seconds that a CPU study need not wait here

        there["gpu"] = torch.cuda.device_count()
    for kind, most in there.items():
        asked = getattr(resources, kind)
        place = f"{document.place(('resources', kind))}: resources.{kind}"
        if asked == "auto" and not most:
            raise ConfigError(
                f"{place}: auto measures on a GPU, and this machine has none; write gpu: 0 for "
                "CPUs, or a share such as 0.5 and the --address of a Ray cluster"
            )
        if asked != "auto" and asked > most:
            raise ConfigError(
                f"{place}: a trial asks for {asked:g}, this machine has {most:g}; write at "
                "most that, or give the --address of a Ray cluster"
            )


def _require(
    space: Space, plan: StudyPlan, console: Console, request: Request
) -> tuple[str, ...]:
    """What a trial takes and, last, its images; ConfigError where they are not to be had.

    Returns the images that are left out.
    """
    cluster = request.address is not None
    if cluster and space.file.resources.gpu == "auto":
        raise ConfigError(
            f"{space.document.place(('resources', 'gpu'))}: resources.gpu: auto measures on "
            "this machine, not on a cluster; write the share that it finds on one of its GPUs"
        )
    if not cluster:
        require_resources(space)
    sigterm_as_ctrl_c()
    return make_ready(plan.data, space.document, console)


def _execute(
    study: Study, plan: StudyPlan, folder: Path, request: Request, console: Console
) -> None:
    """Run what is left, until it is done, time is up or someone presses Ctrl-C."""
    root = Path(plan.data.root)
    sigterm_as_ctrl_c()
    if study.over:  # making images ready took all the time there was
        return
    how = "in this process" if request.inline else "on Ray, which takes seconds to start"
    console.print(f"{plan.study}: {study.left()} trials to run, {how}; record: {folder}")
    if request.on_event is not None:
        study.observers.append(Callback(request.on_event))
    with Progress(console, study) as progress:
        study.observers.append(progress)
        try:
            if request.inline:
                from search.executors.inline import run_inline  # noqa: PLC0415 - imports torch

                run_inline(study, plan, folder=folder, root=root)
            else:
                from search.executors.ray import run_on_ray  # noqa: PLC0415 - imports Ray

                run_on_ray(study, plan, folder=folder, root=root, address=request.address)
        except KeyboardInterrupt:
            console.print("stopping: what has finished is kept")


def draw_summary(folder: Path, *, quiet: bool = False) -> int:
    """Write trials.csv, epochs.csv and the figure of a run; the exit code."""
    # A process of its own: search must not know analysis, and drawing needs other libraries.
    command = [sys.executable, "-m", "analysis.summary", str(folder)]
    drawn = subprocess.run(command, check=False, capture_output=quiet)  # noqa: S603 - our own
    return drawn.returncode


def _result(study: Study, folder: Path) -> StudyResult:
    history = study.history
    trials = {
        number: Trial(started, history.ends.get(number))
        for number, started in sorted(history.trials.items())
    }
    ranked = history.ranked()
    return StudyResult(
        plan=study.plan,
        folder=folder,
        trials=tuple(trials.values()),
        best=trials[ranked[0].started.trial] if ranked else None,
        weights=tuple(study.weights.paths()),
        finished=study.finished,
        out_of_time=study.out_of_time,
    )
