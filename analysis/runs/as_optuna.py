"""Converts a run to an Optuna study, so that all of Optuna's own plots work on it."""

import optuna
from optuna.storages import BaseStorage, InMemoryStorage

from analysis.runs.run import Run, RunError
from search.study.as_optuna import OptunaStudy
from search.study.journal import read


def optuna_study(run: Run, storage: BaseStorage | None = None) -> optuna.Study:
    """Convert a run to an Optuna study with one trial per network: its first.

    Its parameters are the dimensions that vary, its values the study's objectives, its states
    COMPLETE, PRUNED, FAIL and RUNNING. If there is only one objective, its intermediate values
    are the ranking metric by epoch. User attributes are `trial`, `name`, `macs`, `params`,
    `seed`, `repeat`, `status`, `seconds`, `width` where it is solved for, and `reason` where
    there is one.

    Args:
        run: the run; its journal is read again.
        storage: where Optuna keeps the study; in memory by default.

    Raises:
        RunError: the storage holds a study of this name already.
        JournalError: the journal is damaged.
    """
    try:
        shown = OptunaStudy(run.manifest, storage or InMemoryStorage())
    except optuna.exceptions.DuplicatedStudyError as error:
        raise RunError(
            f"{run.name}: the storage already has a study of this name; give another storage, "
            "or remove that study first"
        ) from error
    shown.take(read(run.folder))
    return shown.study
