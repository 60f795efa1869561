"""runs/<study>/checkpoints/: the state of trials under way, sealed.

Two are kept of each trial: the newest, and the one before it for when the newest is damaged.
"""

from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import IO, Any

from search.schema.seals import SealError, opened_file, write_file


def checkpoint_path(folder: Path, trial: int) -> Path:
    """Where a trial under way keeps its state; gone when it has ended."""
    return folder / "checkpoints" / f"{trial}.pt"


def checkpoint_paths(newest: Path) -> tuple[Path, Path]:
    """The newest checkpoint of a trial, and the one before it."""
    return newest, newest.with_name(f"{newest.stem}.before{newest.suffix}")


def save_checkpoint(newest: Path, writer: Callable[[Any], object]) -> None:
    """Write a checkpoint whole, then let it take the place of the newest.

    Args:
        newest: from `checkpoint_path`; its folder is made.
        writer: writes the state to the file it is given.

    Raises:
        OSError: the disk is full or gone; the checkpoints that were there are still there.
    """
    newest.parent.mkdir(parents=True, exist_ok=True)
    write_file(newest, writer, before=checkpoint_paths(newest)[1])


def sound_checkpoints(newest: Path) -> Iterator[IO[bytes]]:
    """The checkpoints of a trial that can be read and are as they were written, newest first.

    Each is open while it is looked at. A damaged one is removed: it would take the place of
    the sound one before it when the next is saved.
    """
    for path in checkpoint_paths(newest):
        try:
            with opened_file(path) as file:
                yield file
        except SealError:
            path.unlink(missing_ok=True)
        except OSError:
            continue


def remove_checkpoints(newest: Path) -> None:
    """Remove what a trial has saved."""
    for path in checkpoint_paths(newest):
        path.unlink(missing_ok=True)


def tidy_checkpoints(folder: Path, live: Collection[int]) -> None:
    """Remove what workers left of trials that are not under way."""
    kept = {
        path.name for trial in live for path in checkpoint_paths(checkpoint_path(folder, trial))
    }
    for path in (folder / "checkpoints").glob("*"):
        if path.name not in kept:
            path.unlink(missing_ok=True)
