"""Reads a run: its plan, its results, and whether it has finished.

Input: the folder of a run. Output: a `Run`, from which tables, figures and the report are made.
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
from analysis.runs.scores import Score, chance_of, score_of
from analysis.runs.standing import standing
from res2net import ArchitectureError
from search.schema.metrics import COUNTED, Metric, Objective, on_test
from search.schema.study_plan import StudyPlan
from search.schema.wording import have_ended, how_many, how_many_each
from search.schema.yaml import ConfigError
from search.study.events import CUT_SHORT, Status
from search.study.journal import FILE
from search.study.manifest import FILE as MANIFEST
from search.study.manifest import Manifest, read

FAILURES = (Status.DIVERGED.value, Status.OUT_OF_MEMORY.value, Status.FAILED.value)


class RunError(ValueError):
    """A folder without a run, or a run that cannot answer a question; states the remedy."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """A run.

    Attributes:
        folder: the run's folder.
        manifest: description of the run: its plan, objectives, traits and starts.
        trials: one row per trial (`analysis.runs.tables.trials`).
    """

    folder: Path
    manifest: Manifest
    trials: pd.DataFrame
    _made: dict[Hashable, pd.DataFrame] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    @cached_property
    def counted(self) -> pd.DataFrame:
        """The trials that count for their networks: all except the losing tries of a tuning."""
        if self.plan.tries == 1:
            return self.trials
        return self.trials[standing(self.trials, self.ranking, self.tuned)]

    @property
    def tuned(self) -> tuple[str, ...]:
        """The settings that were tuned separately for each network."""
        return self.plan.search.tune.keys if self.plan.search.tune else ()

    @property
    def lengths(self) -> str:
        """Epochs of its trials, such as "30 epochs", or "10 to 30 epochs"."""
        several = self.plan.varied.get("epochs", (self.plan.training.epochs,))
        return how_many_each((round(epochs) for epochs in several), "epoch")

    @property
    def plan(self) -> StudyPlan:
        """The plan of the study, in numbers."""
        return self.manifest.plan

    @property
    def name(self) -> str:
        """Name of the study."""
        return self.plan.study

    @property
    def starts(self) -> tuple[dict[str, Any], ...]:
        """Starts of the command, newest last: time, commit, versions, machine."""
        return self.manifest.starts

    @property
    def left_out(self) -> tuple[str, ...]:
        """Images that could not be read."""
        return self.manifest.left_out or ()

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """Metrics that its trials report, named without the split."""
        return self.manifest.metrics

    @property
    def objectives(self) -> tuple[Objective, ...]:
        """The objectives by which its networks are compared."""
        return self.manifest.objectives

    @property
    def ranking(self) -> Objective:
        """The objective by which networks are ranked: the first that trials report."""
        return next(one for one in self.objectives if one.source == "reported")

    @property
    def tested(self) -> Objective:
        """The ranking metric on the test images."""
        return on_test(self.ranking)

    @property
    def score(self) -> Score:
        """How the ranking metric on the test images is shown."""
        return score_of(self.tested)

    @property
    def compared(self) -> tuple[Objective, ...]:
        """The objectives of its Pareto front."""
        return pareto.compared(self.objectives, self.ranking)

    @property
    def cost_axis(self) -> Objective:
        """The cost on the axis of its figures."""
        return pareto.cost_axis(self.objectives)

    @cached_property
    def epochs(self) -> pd.DataFrame:
        """One row per epoch (`analysis.runs.tables.epochs`); read on first use."""
        return tables.epochs(self.folder, metrics=self.metrics)

    @property
    def device_share(self) -> tuple[float, str]:
        """Share of a device per trial, as in the newest start: (0.5, "GPU")."""
        gpu, cpu = self.plan.resources.gpu, self.plan.resources.cpu
        return (gpu, "GPU") if gpu else (cpu, "CPU")

    @property
    def chance(self) -> float:
        """The ranking error in percent of a network that only guesses."""
        return chance_of(self.ranking, self.plan.data.classes)

    @property
    def planned(self) -> int:
        """Number of trials of the whole study; for the confirmation, the maximum possible."""
        return self._planned_search + self.plan.confirm_trials

    @property
    def ended(self) -> int:
        """Number of planned trials that have ended, whatever the outcome."""
        return self._ended("search") + self._ended("confirm")

    @property
    def finished(self) -> bool:
        """Whether the study has no trial left to run."""
        if self._ended("search") < self._planned_search:
            return False
        confirm = self.plan.confirm
        if confirm is None:
            return True
        # Fewer networks may have completed than were to be confirmed.
        confirmed = min(self.plan.confirmed, self.whole()["name"].nunique())
        return self._ended("confirm") >= confirmed * confirm.seeds

    @property
    def recipe(self) -> str:
        """A short name for how it trained, except its epochs; equal recipes share it."""
        return recipe_of(self.plan)

    @property
    def data(self) -> str:
        """A short name for the images it saw; equal data share it."""
        return data_of(self.plan)

    def banner(self) -> str:
        """What a reader must know before any result; empty if there is nothing to say."""
        said = []
        if not self.finished:
            said.append(
                f"not finished: {have_ended(self.ended, planned=self.planned)}; the results "
                "below are from these"
            )
        trials = self.counted  # a losing try says nothing about its network
        counts = trials["status"].value_counts()
        failed = sum(int(counts.get(status, 0)) for status in FAILURES)
        if failed and counts.get("ok", 0):
            theirs = "its network is" if failed == 1 else "their networks are"
            said.append(f"{how_many(failed, 'trial')} failed, and {theirs} not in every result")
        rejected = trials.loc[trials["status"] == Status.REJECTED.value, "name"].nunique()
        if rejected:
            were = f"{how_many(rejected, 'network')} {'was' if rejected == 1 else 'were'}"
            said.append(f"{were} {self.plan.rejected_as} and not trained")
        if self.ended and not counts.get("ok", 0):
            said.append("no trial was trained to its end, so there is no result to show")
        if lost := len(self.left_out):
            were = "was" if lost == 1 else "were"
            said.append(f"{how_many(lost, 'image')} could not be read and {were} left out")
        return "; ".join(said)

    def described(self, *, short: bool = False) -> str:
        """Describe the run as Markdown; with `short`, in one line that fits a title."""
        data, training = self.plan.data, self.plan.training
        whole = self.whole()
        seeds = whole.groupby("name").size().tolist()
        each = how_many_each(seeds, "seed") if seeds else "no seeds"
        images = data.name if short else escaped(data.name)
        sides = ", ".join(map(str, self.plan.network.resolution or ()))
        what = (
            f"{how_many(len(seeds), 'network')}, {each}{' each' * (len(seeds) > 1)}, on "
            f"{images}: {self.lengths} of {how_many(data.train, 'image')}"
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
            f"{have_ended(self.ended, planned=self.planned)}; on {devices}{processor}, "
            f"torch {start['versions']['torch']}, commit {commits}.",
        ]
        return "\n\n".join([*lines, f"*{self.banner()}.*"] if self.banner() else lines)

    def whole(self, phase: str = "search") -> pd.DataFrame:
        """Trials that were trained to their end and have a value of the ranking metric.

        Args:
            phase: "search", or "confirm" for the best networks again with fresh seeds.
        """
        trials = self.counted
        kept = (trials["phase"] == phase) & (trials["status"] == Status.OK.value)
        return trials[kept & trials[self.ranking.column].notna()]

    def once(self, key: Hashable, make: Callable[[], pd.DataFrame]) -> pd.DataFrame:
        """Return a table of this run, computed on first use.

        Args:
            key: name of the table and everything it depends on besides the run.
            make: computes the table.

        Returns:
            A copy, so that no caller can change it for others.
        """
        if key not in self._made:
            self._made[key] = make()
        return self._made[key].copy()

    @cached_property
    def _planned_search(self) -> int:
        search = self.counted[self.counted["phase"] == "search"]
        pruned = search[(search["repeat"] == 0) & search["status"].isin(CUT_SHORT)]
        again = search.loc[search["repeat"] > 0, "name"]  # as in earlier versions
        return self.plan.search_trials(int((~pruned["name"].isin(again)).sum()))

    def _ended(self, phase: str) -> int:
        trials = self.trials
        planned = (trials["phase"] == phase) & (trials["status"] != "running")
        if phase == "confirm":  # not those of an earlier confirmation plan
            planned &= trials["epochs_planned"] == self.plan.epochs(phase)
        return int(planned.sum()) if phase == "search" or self.plan.confirm else 0


def read_run(folder: Path) -> Run:
    """Read a run, finished or not.

    Args:
        folder: contains `journal.jsonl` and `manifest.json`.

    Raises:
        RunError: the folder contains no run, or its manifest cannot be read.
        JournalError: its journal is damaged or from a newer version.
    """
    for name in (FILE, MANIFEST):
        if not (folder / name).is_file():
            raise RunError(f"{folder}: contains no {name}; give a run such as runs/quickstart")
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
            f"{folder}: its networks cannot be described: {error}; restore the skeleton's file"
        ) from error
    return Run(folder=folder, manifest=noted, trials=trials)
