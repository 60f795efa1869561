"""runs/<study>/checkpoints/: the state of trials under way."""

from collections.abc import Collection
from pathlib import Path


def checkpoint_path(folder: Path, trial: int) -> Path:
    """Where a trial under way keeps its state; gone when it has ended."""
    return folder / "checkpoints" / f"{trial}.pt"


def tidy_checkpoints(folder: Path, live: Collection[int]) -> None:
    """Remove what workers left of trials that are not under way."""
    kept = {checkpoint_path(folder, trial).name for trial in live}
    for path in (folder / "checkpoints").glob("*"):
        if path.name not in kept:
            path.unlink(missing_ok=True)
