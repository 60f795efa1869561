"""The sealed checkpoints of live trials: in runs/<study>/checkpoints/, or in another place.

Two are kept of each trial: the newest, and the one before it in case the newest is damaged.
"""

import contextlib
import hashlib
import json
import re
import secrets
import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from search.schema.files import replacing
from search.schema.remote import File, located
from search.schema.seals import SealError, opened_file, write_file
from search.schema.study_plan import StudyPlan
from search.schema.yaml import ConfigError
from search.study.events import Started

_OURS = re.compile(r"\.?\d+(\.before)?\.pt")  # beginning of a name, also of a partial file
_SECONDS = 40.0  # time within which the storage must answer
# Error names of object stores, and what to do about each.
_REMEDIES = {
    "NO_SUCH_BUCKET": "create the bucket, or correct its name",
    "ACCESS_DENIED": "give credentials that may read, write and delete there "
    "(AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a role of the machine), on every node",
    "INVALID_ACCESS_KEY_ID": "correct AWS_ACCESS_KEY_ID, on every node",
    "SIGNATURE_DOES_NOT_MATCH": "correct AWS_SECRET_ACCESS_KEY, on every node",
    "NETWORK_CONNECTION": "check whether the store runs and can be reached from here",
}
_OTHERWISE = "make sure that the place exists and can be written, or give another"


class Checkpoints:
    """Where the trials of a run keep checkpoints, and leave weights for the run's folder.

    Args:
        folder: folder of the run; checkpoints are kept there unless the plan names another
            place.
        plan: plan of the study.
        trials: a live view of the run's trials. The first trial's start record distinguishes
            runs that share a place.
    """

    def __init__(self, folder: Path, plan: StudyPlan, trials: Mapping[int, Started]) -> None:
        self._folder, self._plan, self._trials = folder, plan, trials

    def path(self, trial: int) -> File:
        """Where a live trial keeps its checkpoint; it is removed once the trial has ended."""
        return checkpoint_path(self._place(), trial)

    def lost(self, trial: int) -> bool:
        """Whether a live trial must train its reported epochs again, for lack of a checkpoint.

        That happens in a folder that was copied without checkpoints. Checkpoints in another
        place are not looked for, as an object store may take time to answer.
        """
        if self._plan.checkpoints is not None or self._plan.execution.replay:
            return False
        return not any(path.exists() for path in checkpoint_paths(self.path(trial)))

    def weights(self, kept: Path) -> File:
        """Where a worker writes the weights to be moved to `kept`, in the run's folder."""
        if self._plan.checkpoints is None:
            return kept
        return self._place() / "networks" / kept.name

    def fetch(self, kept: Path) -> None:
        """Move the weights that a worker wrote to the run's folder.

        Raises:
            OSError: they are not there, or a disk is full; the written files are still there.
        """
        written = self.weights(kept)
        if written == kept:
            return
        kept.parent.mkdir(parents=True, exist_ok=True)
        always = [written.with_suffix(suffix) for suffix in (".safetensors", ".json")]
        pictures = written.with_suffix(".npz")  # some tasks write them
        files = [*always, *([pictures] if pictures.exists() else [])]
        for each in files:
            with each.open("rb") as source, replacing(kept.with_suffix(each.suffix)) as file:
                while chunk := source.read(1 << 20):
                    file.write(chunk)
        with self._unless_away():
            for each in files:
                each.unlink(missing_ok=True)

    def remove(self, trial: int) -> None:
        """Remove the checkpoints of a trial; a place that does not answer keeps them."""
        with self._unless_away():
            remove_checkpoints(self.path(trial))

    def tidy(self, live: Collection[int]) -> None:
        """Remove the checkpoints that workers left of trials that are not live."""
        if not self._trials:
            return
        with self._unless_away():
            tidy_checkpoints(self._place(), live)
            if self._plan.checkpoints is not None:  # weights not fetched are written again
                for path in _files(self._place() / "networks"):
                    path.unlink(missing_ok=True)

    def _place(self) -> File:
        if self._plan.checkpoints is None:
            return self._folder
        first = json.dumps(next(iter(self._trials.values())).to_json(), sort_keys=True)
        run = hashlib.sha256(first.encode()).hexdigest()[:12]
        place = located(self._plan.checkpoints)
        place = place.absolute() if isinstance(place, Path) else place
        return place / f"{self._plan.study}-{run}"

    def _unless_away(self) -> contextlib.AbstractContextManager[None]:
        """A failing local disk ends the study; a failing store merely keeps its objects."""
        if self._plan.checkpoints is None:
            return contextlib.nullcontext()
        return contextlib.suppress(OSError)


def check_place(text: str) -> None:
    """Write, read and remove a small file in the place for checkpoints.

    Args:
        text: value of `checkpoints` in the space file.

    Raises:
        ConfigError: it failed, or took more than 40 seconds; the message says what to do.
    """
    failed: list[Exception] = []

    def ask() -> None:
        try:
            _ask(located(text))
        except (OSError, SealError, ValueError) as error:
            failed.append(error)

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(_SECONDS)
    if asking.is_alive():
        raise ConfigError(
            f"{text}: does not answer within {_SECONDS:.0f} seconds; {_OTHERWISE}"
        )
    if failed:
        said = " ".join(str(failed[0]).split())
        remedy = next((words for key, words in _REMEDIES.items() if key in said), _OTHERWISE)
        raise ConfigError(f"{text}: cannot keep checkpoints ({said}); {remedy}")


def _ask(place: File) -> None:
    if isinstance(place, Path):
        place.mkdir(parents=True, exist_ok=True)
    probe = place / f"probe-{secrets.token_hex(8)}"
    write_file(probe, lambda file: file.write(b"a checkpoint would stand here"))
    with opened_file(probe):
        probe.unlink()


def checkpoint_path(folder: File, trial: int) -> File:
    """Where a live trial keeps its checkpoint, below the folder of its run."""
    return folder / "checkpoints" / f"{trial}.pt"


def checkpoint_paths(newest: File) -> tuple[File, File]:
    """The newest checkpoint of a trial, and the one before it."""
    return newest, newest.with_name(f"{newest.stem}.before{newest.suffix}")


def save_checkpoint(newest: File, writer: Callable[[Any], object]) -> None:
    """Write a checkpoint completely, then let it replace the newest.

    Args:
        newest: from `checkpoint_path`; its folder is created.
        writer: writes the state to the file it is given.

    Raises:
        OSError: the disk is full or gone; earlier checkpoints are still there.
    """
    if isinstance(newest, Path):
        newest.parent.mkdir(parents=True, exist_ok=True)
    write_file(newest, writer, before=checkpoint_paths(newest)[1])


def sound_checkpoints(newest: File) -> Iterator[IO[bytes]]:
    """The readable, undamaged checkpoints of a trial, newest first.

    Each is open only until the next is asked for. A damaged one is removed: otherwise the next
    save would let it replace the sound one before it.

    Raises:
        OSError: a checkpoint exists but cannot be read now.
    """
    for path in checkpoint_paths(newest):
        try:
            with opened_file(path) as file:
                yield file
        except SealError:
            path.unlink(missing_ok=True)
        except (FileNotFoundError, NotADirectoryError):
            continue


def remove_checkpoints(newest: File) -> None:
    """Remove the checkpoints of a trial."""
    for path in checkpoint_paths(newest):
        path.unlink(missing_ok=True)


def tidy_checkpoints(folder: File, live: Collection[int]) -> None:
    """Remove the checkpoints that workers left of trials that are not live."""
    kept = {
        path.name for trial in live for path in checkpoint_paths(checkpoint_path(folder, trial))
    }
    for path in _files(folder / "checkpoints"):
        if _OURS.match(path.name) and path.name not in kept:  # others are somebody's own
            path.unlink(missing_ok=True)


def _files(folder: File) -> Iterator[File]:
    return folder.glob("*") if isinstance(folder, Path) else folder.files()
