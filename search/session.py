"""Runs a study from its prepared plan to its result, for the commands and the Python API."""

import functools
import itertools
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from res2net import WeightsError
from res2net.file_names import path_of
from res2net.plugins import PluginError, split_plugin
from res2net.terminal import stopped_with_its_reader
from search.executors.address import check_address
from search.executors.signals import asked_to_end
from search.images.preparing import make_ready
from search.machine import (
    moved,
    require_arithmetic,
    require_place,
    require_resources,
    require_trackers,
    slow_arithmetic,
)
from search.precision import measured, say_kept
from search.preparation import Prepared, Space
from search.progress import Progress
from search.replaying import replay
from search.request import Request
from search.result import StudyResult, result_of
from search.reuse import require_images, reusable
from search.room import require_room
from search.schema.study_plan import StudyPlan
from search.schema.units import format_amount, seconds
from search.schema.wording import all_have_ended, have_ended, how_many
from search.schema.yaml import ConfigError
from search.space.survey import Survey
from search.study import manifest
from search.study.deadline import Deadline
from search.study.journal import FILE, Journal
from search.study.observer import Callback
from search.study.reusing import ReusingStudy
from search.study.study import Study
from search.study.transferred import same_weights
from search.trackers.tracking import Tracking
from search.warm_start import known_of, warmed, with_trials_left


def run(prepared: Prepared, request: Request, console: Console) -> tuple[Study, StudyResult]:
    """Run what is left of a study, from its beginning or from where it was stopped.

    Raises:
        ConfigError: it cannot be run this way, or the folder holds another study.
        JournalError: the folder's journal cannot be read.
    """
    with asked_to_end():
        if prepared.results is not None:
            return replay(prepared, prepared.results, request, console)
        return _run(prepared, request, console)


def _run(prepared: Prepared, request: Request, console: Console) -> tuple[Study, StudyResult]:
    deadline, folder = deadline_of(request.time_limit), request.folder(prepared.plan)
    begun = (folder / FILE).exists()
    left_out: tuple[str, ...] = ()
    if not begun:  # a study that cannot run leaves no folder; an ended one needs no images
        left_out = _require(prepared, console, request, begun=False)
    prepared = measured(prepared, request, console, deadline)
    plan, survey, document = prepared.plan, prepared.survey, prepared.space.document
    if not begun:
        plan = packed(prepared, console, inline=request.inline)
    known = known_of(folder, plan, survey, document, console)
    if not begun:
        plan = with_trials_left(plan, survey, len(known), prepared.space)
    finished = reusable(request.reuse, plan, survey, prepared.parts, console)
    with Journal(folder, say=console.print) as journal:
        same_weights(folder, plan)
        plan = manifest.going_on(folder, plan, prepared.parts, say=console.print)
        plan = with_trials_left(plan, survey, len(known), prepared.space)
        study = ReusingStudy(plan, survey, journal, deadline, elsewhere=finished)
        warmed(study, known)
        study.expect()
        if study.finished and not _to_retry(study, request):
            _leave_finished(study, folder, prepared, request, console)
            return study, result_of(study, folder, before=frozenset(study.history.ends))
        if begun:
            plan, left_out = _ready_again(study, prepared, request, console)
        _retry(study, request, console)  # after the last check that may refuse the start
        before = frozenset(study.history.ends)
        if begun:
            _say_resumed(study, folder, plan, request, console)
        _note(study, plan, prepared, request, left_out=left_out)
        with _tracking(folder, plan, console) as tracking:
            study.observers.append(tracking)
            _execute(study, plan, folder, request, console)
        study.tidy()
        return study, result_of(study, folder, before=before)


def _ready_again(
    study: Study, prepared: Prepared, request: Request, console: Console
) -> tuple[StudyPlan, tuple[str, ...]]:
    """Check what the rest of a study needs; the plan for this machine, and images left out."""
    left_out = _require(prepared, console, request, begun=True)
    manifest.same_images(request.folder(prepared.plan), left_out)
    share = packed(prepared, console, inline=request.inline).resources.gpu
    return study.plan.with_gpu(share), left_out


def _note(
    study: ReusingStudy,
    plan: StudyPlan,
    prepared: Prepared,
    request: Request,
    *,
    left_out: Sequence[str] | None,
) -> None:
    """Note this start in the manifest."""
    manifest.note(
        request.folder(prepared.plan),
        plan,
        space=prepared.space.document.text,
        command=request.command,
        parts=prepared.parts,
        left_out=left_out,
        reused=study.sources,
    )


def _to_retry(study: Study, request: Request) -> int:
    """How many trials ended in a way that is to be tried again."""
    return sum(end.status in request.retry for end in study.history.ends.values())


def _retry(study: Study, request: Request, console: Console) -> None:
    if request.retry:
        again = study.retry(request.retry)
        console.print(f"--retry: {again} of its trials ended this way and are tried again")


def _leave_finished(
    study: ReusingStudy, folder: Path, prepared: Prepared, request: Request, console: Console
) -> None:
    """Tidy up, and write the manifest again if it was damaged and deleted, as advised."""
    _retry(study, request, console)
    ended = len(study.history.ends)
    console.print(f"nothing to run: {all_have_ended(ended, study=study.plan.study)}")
    if manifest.read(folder) is None:
        _note(study, study.plan, prepared, request, left_out=None)
    study.tidy()


def _say_resumed(
    study: Study, folder: Path, plan: StudyPlan, request: Request, console: Console
) -> None:
    """Report what a study resumes with: trials, number format, and another kind of CPU."""
    history = study.history
    console.print(f"resuming: {have_ended(len(history.ends))}, {len(history.live)} interrupted")
    cluster = request.address is not None
    say_kept(plan, console, cluster=cluster)
    noted = manifest.read(folder)
    if noted is None or cluster or plan.resources.gpu:
        return
    if why := moved(noted.starts):
        console.print(f"note: {why}", soft_wrap=True)


def _tracking(folder: Path, plan: StudyPlan, console: Console) -> Tracking:
    """The trackers of a study; their packages take a while to import."""
    say = functools.partial(console.print, soft_wrap=True)
    return Tracking(folder, plan, say=say)


def packed(prepared: Prepared, console: Console, *, inline: bool) -> StudyPlan:
    """The plan with a measured share of a GPU where the file says auto."""
    plan, document = prepared.plan, prepared.space.document
    if prepared.space.file.resources.gpu != "auto" or inline:
        return plan
    from search.profiling.packing import pack  # noqa: PLC0415 - imports torch

    packing = pack(plan, prepared.survey, place=document.place(("resources", "gpu")))
    rates = ", ".join(f"{n}: {rate:,.0f}" for n, rate in packing.images_per_s.items())
    console.print(
        f"gpu: auto: {how_many(packing.trials, 'trial')} on one GPU (images/s of all together "
        f"by their number: {rates}; the most expensive takes {format_amount(packing.memory)}B)"
    )
    return plan.with_gpu(1 / packing.trials)


def deadline_of(limit: str | None) -> Deadline | None:
    """When a start must end.

    Raises:
        ConfigError: the limit is not a time.
    """
    try:
        return None if limit is None else Deadline(seconds(limit))
    except ValueError as error:
        raise ConfigError(f"--time-limit: {error}") from error


def _require(
    prepared: Prepared, console: Console, request: Request, *, begun: bool
) -> tuple[str, ...]:
    """Check what a trial needs and, last, its images; ConfigError where something is missing.

    Returns the images that are left out.
    """
    space, plan, survey = prepared.space, prepared.plan, prepared.survey
    cluster = request.address is not None
    if cluster and space.file.resources.gpu == "auto":
        raise ConfigError(
            f"{space.document.place(('resources', 'gpu'))}: resources.gpu: auto measures on "
            "this machine, not on a cluster; write the share that it finds on one of the "
            "cluster's GPUs"
        )
    if not cluster:
        require_resources(space)
        require_arithmetic(space)
        if slow := slow_arithmetic(prepared, begun=begun):
            console.print(f"note: {slow}", soft_wrap=True)
    require_trackers(space)
    text = prepared.space.document.text
    require_room(request.folder(plan), plan, survey, text=text)
    require_place(space)
    if request.address is not None:
        check_address(request.address)
    with stopped_with_its_reader():
        images = plan.images if plan.data.tree else plan.images[:1]  # others have one size
        each = [make_ready(data, space.document, console) for data in images]
        left_out = tuple(dict.fromkeys(itertools.chain(*each)))
    if begun and split_plugin(plan.data.name):
        from search.engine.checking import check_data  # noqa: PLC0415 - imports torch

        try:
            check_data(plan.data, path_of(plan.data.root))
        except PluginError as error:
            raise ConfigError(f"{space.document.place(('data', 'name'))}: {error}") from error
    if split_plugin(plan.task.name):
        from search.engine.checking import check_task  # noqa: PLC0415 - imports torch

        check_task(plan, survey, path_of(plan.data.root))
    _require_weights(space, plan, survey)
    require_images(request.reuse, left_out)
    return left_out


def _require_weights(space: Space, plan: StudyPlan, survey: Survey) -> None:
    """Make sure that the files of a transfer hold the backbones of these networks."""
    if plan.transfer is None:
        return
    from search.engine.transfer import check_weights  # noqa: PLC0415 - imports torch

    each = (survey.architecture(candidate) for candidate in range(len(survey)))
    try:
        check_weights(plan.transfer, {network.name: network for network in each})
    except WeightsError as error:
        place = space.document.place(("transfer", "from"))
        raise ConfigError(f"{place}: transfer.from: {error}") from error


def _execute(
    study: ReusingStudy, plan: StudyPlan, folder: Path, request: Request, console: Console
) -> None:
    """Run what is left, until it is done, the time is up or the user presses Ctrl-C."""
    if study.over:  # preparing images used up the time limit
        return
    how = "in this process" if request.inline else "on Ray, which takes some seconds to start"
    console.print(f"{plan.study}: {_to_run(study)}, {how}; record: {folder}")
    if request.on_event is not None:
        study.observers.append(Callback(request.on_event))
    with Progress(console, study) as progress:
        study.observers.append(progress)
        try:
            with stopped_with_its_reader():
                _run_trials(study, plan, request, console)
        except KeyboardInterrupt:
            console.print("stopping: what has finished is kept")


def _to_run(study: ReusingStudy) -> str:
    """How many trials are left, and how many of them other runs have finished."""
    left, waiting = study.left(), len(study.waiting)
    surely = 0 if study.remaining.may_take_over else waiting
    to_run = f"{how_many(left - surely, 'trial')} to run"
    if surely:
        return f"{to_run} and {surely} to take over from other runs"
    return to_run + f", up to {waiting} of them taken over from other runs" * bool(waiting)


def _run_trials(study: Study, plan: StudyPlan, request: Request, console: Console) -> None:
    if request.inline:
        from search.executors.inline import run_inline  # noqa: PLC0415 - imports torch

        run_inline(study, plan, root=path_of(plan.data.root))
    else:
        from search.executors.ray import run_on_ray  # noqa: PLC0415 - imports Ray

        say = functools.partial(console.print, soft_wrap=True)
        run_on_ray(study, plan, address=request.address, say=say)
