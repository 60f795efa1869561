"""Checks the folder of a run before its first file: nothing is lost in it, and all fits."""

import os
import shutil
from pathlib import Path

from search.schema.optimizers import OPTIMIZERS
from search.schema.study_plan import StudyPlan
from search.schema.units import format_amount
from search.schema.yaml import ConfigError
from search.space.survey import Survey

_FOLDERS = ("checkpoints", "networks", "figures", "tracking")  # subfolders of a run's folder
_FILES = ("space.yaml", "manifest.json", "journal.jsonl", "trials.csv", "epochs.csv")
_FLOAT = 4  # bytes of a number


def require_room(folder: Path, plan: StudyPlan, survey: Survey, *, text: str) -> None:
    """Make sure that trials can store their checkpoints and weights in the run's folder.

    Args:
        folder: folder of the run; it may not exist yet.
        plan: plan of the study.
        survey: its candidates.
        text: text of its space file, which the run's folder may hold already.

    Raises:
        ConfigError: a file is in the way or may be somebody's own, the disk cannot be written,
            or it has no room for the largest network.
    """
    for name in _FOLDERS:
        path = folder / name
        if path.exists() and not path.is_dir():
            raise ConfigError(
                f"{path}: is a file, but a run keeps {name} in a folder of this name; move it "
                "away, or give another folder with --out"
            )
    for name in _FILES:
        if (folder / name).is_dir():
            raise ConfigError(
                f"{folder / name}: is a folder, but a run writes a file of this name; move it "
                "away, or give another folder with --out"
            )
    _require_own(folder, text)
    there = _place_of(folder)
    recipe, largest = plan.training, int(survey.costs.model_params.max())
    size = _FLOAT * (2 if recipe.precision == "fp64" else 1)
    numbers = 1 + OPTIMIZERS[recipe.optimizer].state + (recipe.ema is not None)
    disk = shutil.disk_usage(there)
    needed, free = numbers * size * largest, disk.free
    if disk.total and needed > free:  # a pseudo file system, such as /proc, has no size
        raise ConfigError(
            f"{folder}: a checkpoint of the largest network ({format_amount(largest)} params) "
            f"takes {format_amount(needed)}B, but the disk has {format_amount(free)}B free; "
            "make room on it, give a folder on a larger one with --out, or lower "
            "budget.params.max"
        )


def _require_own(folder: Path, text: str) -> None:
    """Refuse a folder whose files may be somebody's own: a run would write over them."""
    if any((folder / name).exists() for name in ("journal.jsonl", "manifest.json")):
        return
    there = [folder / name for name in _FOLDERS if any((folder / name).glob("*"))]
    there += [folder / name for name in _FILES if (folder / name).exists()]
    for path in there:
        if path.name == "space.yaml" and _text_of(path) == text:
            continue
        raise ConfigError(
            f"{path}: is there without the journal of a run: it may be yours, and a run would "
            "write over it; move it away, or give another folder with --out"
        )


def _text_of(path: Path) -> str | None:
    """The text of a file, with the ends of its lines as in a parsed one; None if it is none."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None


def _place_of(folder: Path) -> Path:
    """The folder that is there and holds, or will hold, the folder of a run.

    Raises:
        ConfigError: the run's folder cannot be made there.
    """
    if folder.is_symlink() and not folder.exists():
        raise ConfigError(
            f"{folder}: is a link to {folder.readlink()}, which is not there; make that, "
            "or give another with --out"
        )
    here = folder.absolute()
    there = next(each for each in (here, *here.parents) if each.exists())
    if not there.is_dir():
        raise ConfigError(
            f"{there}: is a file, but a run needs a folder; give another with --out"
        )
    if not os.access(there, os.W_OK | os.X_OK):
        raise ConfigError(
            f"{folder}: cannot be the folder of a run ({there} cannot be written: its disk is "
            "read-only, or you have no permission); give another with --out"
        )
    return there
