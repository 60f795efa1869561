"""Reads a run: what was planned, what came of it, and whether it has ended.

Goes in: the folder of a run. Comes out: a `Run`, which tables, figures and the report read.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from analysis.runs import pareto, tables
from analysis.runs.alike import data_of, recipe_of
from analysis.runs.markdown import escaped
from analysis.runs.scores import Score, score_of
from analysis.runs.standing import standing
from res2net import ArchitectureError
from search.schema.metrics import COUNTED, Metric, Objective, on_test
from search.schema.study_plan import StudyPlan
from search.schema.yaml import ConfigError
from search.study.events import CUT_SHORT, Status
from search.study.journal import FILE
from search.study.manifest import FILE as MANIFEST
from search.study.manifest import Manifest, read

FAILURES = (Status.DIVERGED.value, Status.OUT_OF_MEMORY.value, Status.FAILED.value)


class RunError(ValueError):
    """A folder that holds no run, or one that a question cannot be put to; with the remedy."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """A run.

    Attributes:
        folder: where it lies.
        manifest: what it is: its plan, objectives, traits and starts.
        trials: one row a trial (`analysis.runs.tables.trials`).
    """

    folder: Path
    manifest: Manifest
    trials: pd.DataFrame
    _made: dict[Hashable, pd.DataFrame] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    @cached_property
    def counted(self) -> pd.DataFrame:
        """The trials that count for their networks: all but the tries of a tuning that lost."""
        if self.plan.tries == 1:
            return self.trials
        return self.trials[standing(self.trials, self.ranking, self.tuned)]

    @property
    def tuned(self) -> tuple[str, ...]:
        """The settings that were tuned inside each network."""
        return self.plan.search.tune.keys if self.plan.search.tune else ()

    @property
    def lengths(self) -> str:
        """Epochs of its trials: 30, or 10 to 30."""
        several = self.plan.varied.get("epochs", (self.plan.training.epochs,))
        return " to ".join(
            f"{epochs:.0f}" for epochs in dict.fromkeys((several[0], several[-1]))
        )

    @property
    def plan(self) -> StudyPlan:
        """What was asked, in numbers."""
        return self.manifest.plan

    @property
    def name(self) -> str:
        """Of the study."""
        return self.plan.study

    @property
    def starts(self) -> tuple[dict[str, Any], ...]:
        """Of its command: time, commit, versions, machine; the newest last."""
        return self.manifest.starts

    @property
    def left_out(self) -> tuple[str, ...]:
        """Images that could not be read."""
        return self.manifest.left_out

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """What its trials report, without the split."""
        return self.manifest.metrics

    @property
    def objectives(self) -> tuple[Objective, ...]:
        """By which its networks are compared."""
        return self.manifest.objectives

    @property
    def ranking(self) -> Objective:
        """The objective that says which network is the best: the first that trials report."""
        return next(one for one in self.objectives if one.source == "reported")

    @property
    def tested(self) -> Objective:
        """The metric that ranks, on the test images."""
        return on_test(self.ranking)

    @property
    def score(self) -> Score:
        """How the metric that ranks is shown, on the test images."""
        return score_of(self.tested)

    @property
    def compared(self) -> tuple[Objective, ...]:
        """The objectives of its Pareto front."""
        return pareto.compared(self.objectives, self.ranking)

    @property
    def cost_axis(self) -> Objective:
        """The cost that its networks are drawn against."""
        return pareto.cost_axis(self.objectives)

    @cached_property
    def epochs(self) -> pd.DataFrame:
        """One row an epoch (`analysis.runs.tables.epochs`); read when it is first asked for."""
        return tables.epochs(self.folder, metrics=self.metrics)

    @property
    def device_share(self) -> tuple[float, str]:
        """How much of which device a trial has, as the newest start had it: (0.5, "GPU")."""
        gpu, cpu = self.plan.resources.gpu, self.plan.resources.cpu
        return (gpu, "GPU") if gpu else (cpu, "CPU")

    @property
    def chance(self) -> float:
        """Error of guessing one class, in percent."""
        return float(100 - 100 / self.plan.data.classes)

    @property
    def planned(self) -> int:
        """Trials of the whole study; of a confirmation, the most there can be."""
        return self._planned_search + self.plan.confirm_trials

    @property
    def ended(self) -> int:
        """Trials of the study as it is planned that have ended, however."""
        return self._ended("search") + self._ended("confirm")

    @property
    def finished(self) -> bool:
        """Whether no trial of the study is left."""
        if self._ended("search") < self._planned_search:
            return False
        confirm = self.plan.confirm
        if confirm is None:
            return True
        # Fewer networks may have been whole than were to be confirmed.
        confirmed = min(self.plan.confirmed, self.whole()["name"].nunique())
        return self._ended("confirm") >= confirmed * confirm.seeds

    @property
    def recipe(self) -> str:
        """A short name for how it trained, epochs aside: equal recipes share it."""
        return recipe_of(self.plan)

    @property
    def data(self) -> str:
        """A short name for the images it saw: equal data share it."""
        return data_of(self.plan)

    def banner(self) -> str:
        """What a reader must know before any result; empty where there is nothing."""
        said = []
        if not self.finished:
            said.append(
                f"not finished: {self.ended:,} of {self.planned:,} trials have ended; what "
                "follows is of these"
            )
        trials = self.counted  # a try that lost says nothing of its network
        counts = trials["status"].value_counts()
        failed = sum(int(counts.get(status, 0)) for status in FAILURES)
        if failed and counts.get("ok", 0):
            said.append(f"{failed:,} trials failed, and their networks are not in every result")
        rejected = trials.loc[trials["status"] == Status.REJECTED.value, "name"].nunique()
        if rejected:
            said.append(f"{rejected:,} networks were {self.plan.rejected_as} and not trained")
        if self.ended and not counts.get("ok", 0):
            said.append("no trial was trained to its end, so there is no result to show")
        if self.left_out:
            said.append(f"{len(self.left_out):,} images could not be read and were left out")
        return "; ".join(said)

    def described(self, *, short: bool = False) -> str:
        """What the run was, as Markdown; short: in a line that a title can hold."""
        data, training = self.plan.data, self.plan.training
        whole = self.whole()
        networks = whole["name"].nunique()
        seeds = sorted(whole.groupby("name").size().unique())
        each = f"{seeds[0]} to {seeds[-1]}" if len(seeds) > 1 else "".join(map(str, seeds))
        images = data.name if short else escaped(data.name)
        several, sides = networks != 1, ", ".join(map(str, self.plan.network.resolution or ()))
        of_each = f"{each or 'no'} seed{'s' * (seeds != [1])}{' each' * several}"
        what = (
            f"{networks} network{'s' * several}, {of_each}, on {images}: "
            f"{self.lengths} epochs of {data.train:,} images"
            + (f" at {sides} px" if sides else "")
        )
        if short:
            return f"{self.name}: {what}"
        start = self.starts[-1]
        devices = ", ".join(sorted(set(self.trials["device"].dropna()) - {""})) or "no device"
        processor = f" ({start['processor']})" * (str(start["processor"]) not in devices)
        commits = ", ".join(dict.fromkeys(str(one["git_commit"])[:10] for one in self.starts))
        lines = [
            f"**{self.name}**: {what}, schedule {training.schedule}, batches of "
            f"{training.batch_size}, {training.precision}.",
            f"{self.ended:,} of {self.planned:,} trials have ended; on {devices}{processor}, "
            f"torch {start['versions']['torch']}, commit {commits}.",
        ]
        return "\n\n".join([*lines, f"*{self.banner()}.*"] if self.banner() else lines)

    def whole(self, phase: str = "search") -> pd.DataFrame:
        """Trials that were trained to their end, with a value of the metric that ranks.

        Args:
            phase: "search", or "confirm": the best again, with fresh seeds.
        """
        trials = self.counted
        kept = (trials["phase"] == phase) & (trials["status"] == Status.OK.value)
        return trials[kept & trials[self.ranking.column].notna()]

    def once(self, key: Hashable, make: Callable[[], pd.DataFrame]) -> pd.DataFrame:
        """A table of this run that is computed when it is first asked for.

        Args:
            key: what it is, with everything that it depends on beside the run.
            make: computes it.

        Returns:
            A copy, so that no caller changes it for others.
        """
        if key not in self._made:
            self._made[key] = make()
        return self._made[key].copy()

    @cached_property
    def _planned_search(self) -> int:
        search = self.counted[self.counted["phase"] == "search"]
        pruned = search[(search["repeat"] == 0) & search["status"].isin(CUT_SHORT)]
        again = search.loc[search["repeat"] > 0, "name"]  # as earlier versions went on
        return self.plan.search_trials(int((~pruned["name"].isin(again)).sum()))

    def _ended(self, phase: str) -> int:
        trials = self.trials
        planned = (trials["phase"] == phase) & (trials["status"] != "running")
        if phase == "confirm":  # those of one that was planned before are none of this one
            planned &= trials["epochs_planned"] == self.plan.epochs(phase)
        return int(planned.sum()) if phase == "search" or self.plan.confirm else 0


def read_run(folder: Path) -> Run:
    """Read a run, finished or not.

    Args:
        folder: with `journal.jsonl` and `manifest.json`.

    Raises:
        RunError: there is no run in it, or its manifest cannot be read.
        JournalError: its journal is damaged, or of a newer version.
    """
    for name in (FILE, MANIFEST):
        if not (folder / name).is_file():
            raise RunError(f"{folder}: holds no {name}; name a run, such as runs/quickstart")
    try:
        noted = read(folder)
    except ConfigError as error:
        raise RunError(str(error)) from error
    assert noted is not None, "its file is there"
    foreign = [
        one.name
        for one in noted.objectives
        if one.source == "counted" and one.name not in COUNTED
    ]
    try:
        trials = tables.trials(
            folder,
            metrics=noted.metrics,
            counted=foreign,
            measured=noted.plan.measured,
            settings=noted.plan.settings,
        )
    except ArchitectureError as error:
        raise RunError(
            f"{folder}: its networks cannot be described: {error}; put the skeleton's file back"
        ) from error
    return Run(folder=folder, manifest=noted, trials=trials)
