"""Reads from a journal what the first networks of a study said of its scheduler."""

from collections.abc import Iterable

from search.schedulers.checked import Checked, Findings, scheduler_of
from search.schema.study_plan import StudyPlan
from search.study.events import Ended, Epoch, Record, Resumed
from search.study.history import History


def findings_of(plan: StudyPlan, records: Iterable[Record]) -> Findings | None:
    """What `fidelity` found, as the study itself did when it ran.

    Args:
        plan: of the study.
        records: its whole journal, with epochs.

    Returns:
        None where it was not asked for, or where too few networks have ended yet.

    Raises:
        PluginError: a foreign scheduler cannot be made.
        JournalError: a record does not follow from those before it.
    """
    if plan.fidelity is None:
        return None
    scheduler = scheduler_of(plan)
    assert isinstance(scheduler, Checked), "fidelity is asked for"
    history = History(plan.ranking, plan.objectives, tries=plan.tries)
    for record in records:
        history.note(record)
        started = history.trials.get(record.trial)
        if started is None or not started.is_try:
            continue
        if isinstance(record, Epoch):
            values = history.values(record.trial, record.metrics)
            scheduler.report(record.trial, record.epoch, values)
        elif isinstance(record, Resumed):
            scheduler.resumed(record.trial)
        elif isinstance(record, Ended):
            scheduler.ended(record.trial)
        if scheduler.findings is not None:
            break
    return scheduler.findings
