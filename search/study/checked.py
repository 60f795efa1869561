"""Reads from a journal what the first networks of a study showed about its scheduler."""

from collections.abc import Iterable

from search.schedulers.checked import Checked, Findings, scheduler_of
from search.schema.study_plan import StudyPlan
from search.study.events import Ended, Epoch, Record, Resumed
from search.study.history import History


def findings_of(plan: StudyPlan, records: Iterable[Record]) -> Findings | None:
    """Repeat the `fidelity` check of a study from its journal.

    Args:
        plan: plan of the study.
        records: its whole journal, with epochs.

    Returns:
        The findings; None where the check was not asked for, or too few networks have ended.

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
