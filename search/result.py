"""The result of a study, as the Python API returns it."""

import os
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
        started: record of its start.
        ended: record of its end, None while it is running.
        measured: measurements of its network before the first epoch, None where there were
            none.
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
        """The metrics that it reported at its end."""
        return self.ended.metrics if self.ended else {}


@dataclass(frozen=True)
class StudyResult:
    """The result of a study.

    Attributes:
        plan: plan of the study, as it was run.
        folder: folder of the run.
        trials: all trials, in the order they were started.
        ended: the trials that ended in this start of the study.
        best: first trial of the search's best network; None where no network was trained
            completely.
        weights: kept weight files, those of the best networks first.
        finished: whether nothing is left to run.
        out_of_time: whether the time limit ended it.
        drawn: whether its tables and its figure were written.
    """

    plan: StudyPlan
    folder: Path
    trials: tuple[Trial, ...]
    ended: tuple[Trial, ...]
    best: Trial | None
    weights: tuple[Path, ...]
    finished: bool
    out_of_time: bool
    drawn: bool = True

    @property
    def exit_code(self) -> ExitCode:
        """The exit code of the command; DONE for a start that had nothing left to run."""
        if not self.finished:
            return ExitCode.OUT_OF_TIME if self.out_of_time else ExitCode.STOPPED
        # Early stopping is not a failure.
        sound = any(t.ended.status in (Status.OK, Status.PRUNED) for t in self.ended if t.ended)
        if self.ended and not sound:
            return ExitCode.NO_TRIAL_OK
        return ExitCode.DONE if self.drawn else ExitCode.FAILED


def result_of(study: Study, folder: Path, *, before: Collection[int]) -> StudyResult:
    """Collect the present state of a study.

    Args:
        study: the study that was run.
        folder: folder of the run.
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
    """Write trials.csv, epochs.csv and the figure of a run; return the exit code."""
    # A separate process: search must not import analysis, and drawing needs other libraries.
    # -P and the first path: a file named analysis.py in the current folder is not ours.
    command = [sys.executable, "-P", "-m", "analysis.summary", str(folder)]
    paths = [str(Path(__file__).parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])]
    # Ctrl-C is meant for the study: drawing the results so far continues to its end.
    drawn = subprocess.run(  # noqa: S603 - our own command
        command,
        check=False,
        capture_output=quiet,
        start_new_session=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)},
    )
    return drawn.returncode
