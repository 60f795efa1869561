"""A run as analysis sees it: what was asked, what came of it, and whether it has ended.

Goes in: the folder of a run. Comes out: a `Run`, which tables, figures and the report read.
"""

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from analysis.runs import tables
from search.schema.config import Config
from search.study.journal import FILE
from search.study.manifest import FILE as MANIFEST

# What does not change the images that a trial sees, or the networks' results.
_WHERE_IMAGES_LIE = ("root", "storage", "cache", "damaged")


FAILURES = ("diverged", "out-of-memory", "failed")


class RunError(ValueError):
    """A folder that holds no run, or one that a question cannot be put to; with the remedy."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """A run.

    Attributes:
        folder: where it lies.
        config: the resolved space file, as in its manifest.
        starts: of its command: time, commit, versions, machine; the newest last.
        trials: one row a trial (`analysis.runs.tables.trials`).
        left_out: images that could not be read.
    """

    folder: Path
    config: dict[str, Any]
    starts: tuple[dict[str, Any], ...]
    trials: pd.DataFrame
    left_out: tuple[str, ...]

    @property
    def name(self) -> str:
        """Of the study."""
        return str(self.config["study"])

    @cached_property
    def epochs(self) -> pd.DataFrame:
        """One row an epoch (`analysis.runs.tables.epochs`); read when it is first asked for."""
        return tables.epochs(self.folder)

    @cached_property
    def facts(self) -> Any:
        """Classes, image sizes and numbers of images of its data."""
        return Config.model_validate(_tupled(self.config)).data.facts

    @property
    def chance(self) -> float:
        """Error of guessing, in percent."""
        return float(100 - 100 / self.facts.classes)

    @property
    def planned(self) -> int:
        """Trials of the whole study; of a confirmation, the most there can be."""
        search, confirm = self.config["search"], self.config["confirm"]
        trials = search["trials"] * search.get("seeds", 1)
        if confirm:
            trials += min(confirm["top"], search["trials"]) * confirm["seeds"]
        return int(trials)

    @property
    def ended(self) -> int:
        """Trials of the study as it is planned that have ended, however."""
        trials, confirm = self.trials, self.config["confirm"]
        planned = trials["phase"] == "search"
        if confirm:  # those of a confirmation that was planned before are none of this one
            planned |= trials["epochs_planned"] == confirm["epochs"]
        return int((planned & (trials["status"] != "running")).sum())

    @property
    def finished(self) -> bool:
        """Whether no trial of the study is left."""
        left = self.planned - self.ended
        search, confirm = self.config["search"], self.config["confirm"]
        if not confirm or not left:
            return left <= 0
        # Fewer networks may have been whole than were to be confirmed.
        spared = min(confirm["top"], search["trials"]) - self.whole()["name"].nunique()
        return bool(left <= max(0, spared) * confirm["seeds"])

    @property
    def recipe(self) -> str:
        """A short name for how it trained, epochs aside: equal recipes share it."""
        training = {k: v for k, v in self.config["training"].items() if k != "epochs"}
        return _digest(training)

    @property
    def data(self) -> str:
        """A short name for the images it saw: equal data share it."""
        data = self.config["data"]
        return _digest({k: v for k, v in data.items() if k not in _WHERE_IMAGES_LIE})

    def banner(self) -> str:
        """What a reader must know before any result; empty where there is nothing."""
        parts = []
        if not self.finished:
            parts.append(
                f"not finished: {self.ended:,} of {self.planned:,} trials have ended; what "
                "follows is of these"
            )
        counts = self.trials["status"].value_counts()
        failed = sum(int(counts.get(status, 0)) for status in FAILURES)
        if failed and counts.get("ok", 0):
            parts.append(
                f"{failed:,} trials failed, and their networks are not in every result"
            )
        if self.ended and not counts.get("ok", 0):
            parts.append("no trial was trained to its end, so there is no result to show")
        if self.left_out:
            parts.append(f"{len(self.left_out):,} images could not be read and were left out")
        return "; ".join(parts)

    def described(self, *, short: bool = False) -> str:
        """What the run was, as Markdown; short: in a line that a title can hold."""
        data, training = self.config["data"], self.config["training"]
        whole = self.whole()
        networks = whole["name"].nunique()
        seeds = sorted(whole.groupby("name").size().unique())
        each = f"{seeds[0]} to {seeds[-1]}" if len(seeds) > 1 else "".join(map(str, seeds))
        images = data["train"] or self.facts.train - data["validation"]
        what = (
            f"{networks} networks, {each or 'no'} seed{'s' * (seeds != [1])} each, on "
            f"{data['name']}: {training['epochs']} epochs of {images:,} images"
        )
        if short:
            return f"{self.name}: {what}"
        start = self.starts[-1]
        devices = ", ".join(sorted(set(self.trials["device"].dropna()) - {""})) or "no device"
        commits = ", ".join(dict.fromkeys(str(one["git_commit"])[:10] for one in self.starts))
        lines = [
            f"**{self.name}**: {what}, schedule {training['schedule']}, batches of "
            f"{training['batch_size']}, {training['precision']}.",
            f"{self.ended:,} of {self.planned:,} trials have ended; on {devices} "
            f"({start['processor']}), torch {start['versions']['torch']}, commit {commits}.",
        ]
        return "\n\n".join([*lines, f"*{self.banner()}.*"] if self.banner() else lines)

    def whole(self, phase: str = "search") -> pd.DataFrame:
        """Trials that were trained to their end, with a validation error.

        Args:
            phase: "search", or "confirm": the best again, with fresh seeds.
        """
        trials = self.trials
        kept = (trials["phase"] == phase) & (trials["status"] == "ok")
        return trials[kept & trials["val_error_pct"].notna()]


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
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        config, starts = manifest["config"], manifest["starts"]
    except (ValueError, KeyError, TypeError) as error:
        raise RunError(
            f"{folder / MANIFEST}: is damaged ({error!r}); restore it from a copy"
        ) from error
    return Run(
        folder=folder,
        config=config,
        starts=tuple(starts),
        trials=tables.trials(folder),
        left_out=tuple(manifest.get("left_out", ())),
    )


def _digest(data: dict[str, Any]) -> str:
    text = json.dumps(data, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _tupled(data: Any) -> Any:
    """JSON's lists as the tuples that a config holds."""
    if isinstance(data, dict):
        return {key: _tupled(value) for key, value in data.items()}
    return tuple(map(_tupled, data)) if isinstance(data, list) else data
