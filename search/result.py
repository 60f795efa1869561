"""The result of a study, as the Python API returns it."""

import subprocess
import sys
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from res2net.exit_codes import ExitCode
from search.schema.study_plan import StudyPlan
from search.study.events import Ended, Measured, Started, Status
from search.study.study import Study


@dataclass(frozen=True)
class Trial:
    """A trial of a study.

    Attributes:
        started: its start.
        ended: its end, None while it is under way.
        measured: of its network before the first epoch, None where nothing was.
    """

    started: Started
    ended: Ended | None
    measured: Measured | None = None

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
        ended: those of them that ended in this start of the study.
        best: the first trial of the best network of the search, None where none was whole.
        weights: kept files, those of the best networks first.
        finished: whether nothing is left to run.
        out_of_time: whether the time limit ended it.
    """

    plan: StudyPlan
    folder: Path
    trials: tuple[Trial, ...]
    ended: tuple[Trial, ...]
    best: Trial | None
    weights: tuple[Path, ...]
    finished: bool
    out_of_time: bool

    @property
    def exit_code(self) -> ExitCode:
        """How the command ends; of a start in which nothing was left to do, DONE."""
        if not self.finished:
            return ExitCode.OUT_OF_TIME if self.out_of_time else ExitCode.STOPPED
        # Early stopping is no failure.
        sound = any(t.ended.status in (Status.OK, Status.PRUNED) for t in self.ended if t.ended)
        return ExitCode.DONE if sound or not self.ended else ExitCode.NO_TRIAL_OK


def result_of(study: Study, folder: Path, *, before: Collection[int]) -> StudyResult:
    """What a study holds now.

    Args:
        study: that was run.
        folder: of the run.
        before: numbers of the trials that had ended before this start.
    """
    history = study.history
    trials = {
        number: Trial(started, history.ends.get(number), history.measured.get(number))
        for number, started in sorted(history.trials.items())
    }
    best = history.best()
    return StudyResult(
        plan=study.plan,
        folder=folder,
        trials=tuple(trials.values()),
        ended=tuple(trials[number] for number in history.ends if number not in before),
        best=trials[best.started.trial] if best else None,
        weights=tuple(study.weights.paths()),
        finished=study.finished,
        out_of_time=study.out_of_time,
    )


def draw_summary(folder: Path, *, quiet: bool = False) -> int:
    """Write trials.csv, epochs.csv and the figure of a run; the exit code."""
    # A process of its own: search must not know analysis, and drawing needs other libraries.
    command = [sys.executable, "-m", "analysis.summary", str(folder)]
    # Ctrl-C is of the study: the drawing of what there is goes on to its end.
    drawn = subprocess.run(  # noqa: S603 - our own
        command, check=False, capture_output=quiet, start_new_session=True
    )
    return drawn.returncode
