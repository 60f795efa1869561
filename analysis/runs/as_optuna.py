"""Gives a run as a study of Optuna's, so that all of Optuna's own plots work on it."""

import optuna
from optuna.storages import BaseStorage, InMemoryStorage

from analysis.runs.run import Run, RunError
from search.study.as_optuna import OptunaStudy
from search.study.journal import read


def optuna_study(run: Run, storage: BaseStorage | None = None) -> optuna.Study:
    """A run as a study of Optuna's: one trial for each network, its first.

    Its parameters are the dimensions that vary, its values the study's objectives, its states
    COMPLETE, PRUNED, FAIL and RUNNING; what ranks by epoch stands in its intermediate values
    where there is one objective. User attributes are `trial`, `name`, `macs`, `params`, `seed`,
    `repeat`, `status`, `seconds`, `width` where it is solved, and `reason` where there is one.

    Args:
        run: that was read; its journal is read anew.
        storage: where Optuna keeps the study; in memory where not given.

    Raises:
        RunError: the storage holds a study of this name already.
        JournalError: the journal is damaged.
    """
    try:
        shown = OptunaStudy(run.manifest, storage or InMemoryStorage())
    except optuna.exceptions.DuplicatedStudyError as error:
        raise RunError(
            f"{run.name}: the storage holds a study of this name; give another storage, or "
            "remove that study first"
        ) from error
    shown.take(read(run.folder))
    return shown.study
