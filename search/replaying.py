"""Replays a study: trials take recorded results, in simulated time. No torch here."""

import threading

from rich.console import Console

from res2net.terminal import stopped_with_its_reader
from search.executors.replay import SimulatedClock, run_replay
from search.executors.signals import asked_to_end
from search.fidelity import fidelity_lines
from search.preparation import Prepared
from search.replay.record import RetracedJournal
from search.replay.results import Results
from search.request import Event, OnEvent, Request
from search.result import StudyResult, result_of
from search.room import require_room
from search.schema.study_plan import StudyPlan
from search.schema.units import duration
from search.schema.wording import all_have_ended, how_many
from search.schema.yaml import ConfigError
from search.study import manifest
from search.study.events import Known
from search.study.journal import FILE
from search.study.observer import Callback
from search.study.study import Study
from search.warm_start import known_trials, warmed, with_trials_left


def replay(
    prepared: Prepared, results: Results, request: Request, console: Console
) -> tuple[Study, StudyResult]:
    """Run what is left of a replay, from its beginning or from where it was stopped.

    Args:
        prepared: the study.
        results: the results that its trials take.
        request: how it is to be run.
        console: where to report.

    Raises:
        ConfigError: it cannot be run this way, or the folder holds another study.
        JournalError: the folder's journal cannot be read, or this replay departs from it.
    """
    _require(request)
    folder, plan = request.folder(prepared.plan), prepared.plan
    space, begun = prepared.space, (folder / FILE).exists()
    require_room(folder, plan, prepared.survey, text=prepared.space.document.text)
    # Before a first start writes anything; a run that has begun may no longer need other runs.
    known = () if begun else known_trials(plan, prepared.survey, space.document, console)
    plan = with_trials_left(plan, prepared.survey, len(known), space)

    def note() -> None:
        manifest.note(
            folder,
            plan,
            space=space.document.text,
            command=request.command,
            parts=prepared.parts,
        )

    with RetracedJournal(folder, say=console.print, before_new=note) as journal:
        plan = manifest.going_on(folder, plan, prepared.parts, say=console.print)
        if begun:
            known = _known(prepared, plan, journal, console)
            plan = with_trials_left(plan, prepared.survey, len(known), space)
        clock = SimulatedClock()
        study = Study(plan, prepared.survey, journal, clock=clock)
        if request.on_event is not None:
            study.observers.append(Callback(_unless_retracing(request, journal)))
        warmed(study, known)
        there = len(journal.ended)
        console.print(
            f"{plan.study}: a replay, in simulated time on {plan.execution.in_words}"
            + (f"; {how_many(there, 'trial')} had already ended" if begun else ""),
            soft_wrap=True,
        )
        with stopped_with_its_reader():
            _run(study, results, clock, journal)
        ended = len(study.history.ends) - there
        if begun and not ended and study.finished:
            console.print(f"nothing to run: {all_have_ended(there, study=plan.study)}")
        if study.fidelity is not None and plan.fidelity is not None:
            for line in fidelity_lines(study.fidelity, at_least=plan.fidelity.at_least):
                console.print(line, soft_wrap=True, highlight=False)
        console.print(f"simulated time: {duration(clock.now)}")
        study.tidy()
        return study, result_of(study, folder, before=journal.ended)


def _known(
    prepared: Prepared, plan: StudyPlan, journal: RetracedJournal, console: Console
) -> tuple[Known, ...]:
    """The trials of other runs that a resumed replay began with."""
    if journal.known is None:  # it was stopped before its first trial
        return known_trials(plan, prepared.survey, prepared.space.document, console)
    return journal.known


def _require(request: Request) -> None:
    """Refuse options that make no sense for a replay."""
    if request.time_limit is not None:
        raise ConfigError("--time-limit: a replay takes seconds; leave it out")
    if request.address is not None:
        raise ConfigError("--address: a replay runs in this process; leave it out")
    if request.reuse:
        raise ConfigError("--reuse: a replay trains nothing; leave it out")
    if request.retry:
        raise ConfigError(
            "--retry: a replay uses existing results, and would end the same; leave it out"
        )


def _run(
    study: Study, results: Results, clock: SimulatedClock, journal: RetracedJournal
) -> None:
    """Run to the end, or, past the recorded part, until the user asks to stop."""
    asked = threading.Event()
    with asked_to_end() as wish, wish.passed_to(asked.set):
        run_replay(
            study, results, clock, asked=lambda: asked.is_set() and not journal.retracing
        )


def _unless_retracing(request: Request, journal: RetracedJournal) -> OnEvent:
    """The callback of a request, called only for new events."""

    def call(event: Event) -> None:
        if request.on_event is not None and not journal.retracing:
            request.on_event(event)

    return call
