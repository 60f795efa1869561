"""What the machine does to a trial is no result of its network."""

import errno
from pathlib import Path

import pytest
import torch

from search.engine.failures import LostError, outcome, raise_if_of_the_machine
from search.run import main
from search.scenes.findings import FileError
from search.study.events import Ended, Lost, Status
from search.study.journal import read
from search.tasks import memory
from search.tasks.base import DivergedError, PreparationError
from tests.search.spaces import write

# Somebody's optimiser on a file system that is gone for a moment, twice.
FLAKY = """
import errno
from pathlib import Path

import torch


class Flaky(torch.optim.SGD):
    def step(self, closure=None):
        steps = Path(__file__).with_name("steps.txt")
        taken = len(steps.read_text()) if steps.exists() else 0
        steps.write_text("." * (taken + 1))
        if taken in FAILS:
            raise OSError(errno.EIO, "Input/output error", "/images/3.png")
        return super().step(closure)


def flaky(groups, training):
    return Flaky(groups, lr=training.peak_lr)
"""


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.EIO, "Input/output error", "/images/3.png"),
        FileNotFoundError(errno.ENOENT, "No such file", "/images/3.png"),
        TimeoutError(errno.ETIMEDOUT, "Connection timed out"),
        torch.AcceleratorError("CUDA error: uncorrectable ECC error encountered"),
        RuntimeError("cuDNN error: CUDNN_STATUS_EXECUTION_FAILED"),
    ],
)
def test_a_machine_that_fails_is_no_result(error: Exception) -> None:
    with pytest.raises(LostError) as lost:
        raise_if_of_the_machine(raised(error))
    assert type(error).__name__ in str(lost.value)
    assert lost.value.new_process == isinstance(error, RuntimeError), "of the GPU"


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EROFS])
def test_a_disk_that_takes_nothing_more_stops_the_study(number: int) -> None:
    with pytest.raises(OSError, match="weights") as stopped:
        raise_if_of_the_machine(raised(OSError(number, "no room", "weights")))
    assert stopped.value.errno == number


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (DivergedError("the loss is nan"), Status.DIVERGED),
        (torch.OutOfMemoryError("CUDA out of memory"), Status.OUT_OF_MEMORY),
        (MemoryError(), Status.OUT_OF_MEMORY),
        (torch.AcceleratorError("CUDA error: out of memory"), Status.OUT_OF_MEMORY),
        (RuntimeError("Triton Error [CUDA]: out of memory"), Status.OUT_OF_MEMORY),
        (RuntimeError("CUDA driver error: out of memory"), Status.OUT_OF_MEMORY),
        (
            RuntimeError("CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED"),
            Status.OUT_OF_MEMORY,
        ),
        (ValueError("a mistake"), Status.FAILED),
        # cuDNN says so of types that it does not take, and of a GPU that is full, too.
        (RuntimeError("unable to find an engine to execute this computation"), Status.FAILED),
        # The GPU is well, and the next network may do.
        (PreparationError("the network cannot be captured as a CUDA graph"), Status.FAILED),
    ],
)
def test_what_the_network_did_is_a_result(error: Exception, status: Status) -> None:
    raise_if_of_the_machine(raised(error))
    assert outcome(raised(error))[0] is status


def test_what_cudnn_says_of_a_full_gpu_is_a_lack_of_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(memory, "_little_is_left", lambda: True)
    said = "FIND was unable to find an engine to execute this computation"
    assert outcome(raised(RuntimeError(said)))[0] is Status.OUT_OF_MEMORY
    assert outcome(raised(ValueError(said)))[0] is Status.FAILED


def test_memory_that_ends_in_a_capture_is_a_lack_of_memory_too() -> None:
    """Ending the capture then fails as well, and its error is the one that is seen."""
    with pytest.raises(torch.AcceleratorError) as seen:
        raise_of_two()
    raise_if_of_the_machine(seen.value)
    assert outcome(seen.value)[0] is Status.OUT_OF_MEMORY


def raise_of_two() -> None:
    try:
        raise torch.OutOfMemoryError("CUDA out of memory")
    except torch.OutOfMemoryError:
        try:  # torch makes room and tries once more
            raise RuntimeError("CUDA error: operation not permitted when stream is capturing")
        finally:
            raise torch.AcceleratorError("CUDA error: operation failed due to a previous error")


def raised(error: Exception) -> Exception:
    """With a traceback, as an error that was caught has one."""
    try:
        raise error
    except type(error) as caught:
        return caught


def losses_and_ends(folder: Path, *, fails: set[int]) -> tuple[list[Lost], list[Ended]]:
    """A study whose optimiser fails at these steps, run in this process."""
    folder.mkdir()
    (folder / "flaky.py").write_text(f"FAILS = {fails or set()!r}\n{FLAKY}", encoding="utf-8")
    path = write(folder)
    own = f"training.optimizer={folder / 'flaky.py'}:flaky"
    arguments = [str(path), "--inline", "--out", str(folder / "run"), "--set", own]
    assert main([*arguments, "--set", "training.epochs=2"]) == 0
    records = read(folder / "run")
    lost = [record for record in records if isinstance(record, Lost)]
    return lost, [record for record in records if isinstance(record, Ended)]


def test_a_study_goes_on_where_a_file_could_not_be_read_for_a_moment(tmp_path: Path) -> None:
    nothing, whole = losses_and_ends(tmp_path / "whole", fails=set())
    steps = len((tmp_path / "whole" / "steps.txt").read_text())
    lost, ends = losses_and_ends(tmp_path / "flaky", fails={steps // 2, steps // 2 + 1})
    assert not nothing
    assert [one.times for one in lost] == [1, 2]
    assert "OSError: [Errno 5] Input/output error: '/images/3.png'" in lost[0].reason
    assert [(e.trial, e.status, e.metrics) for e in ends] == [
        (e.trial, Status.OK, e.metrics) for e in whole
    ]


def test_a_file_that_the_system_cannot_read_is_the_machine_s_whoever_says_so() -> None:
    """As of a disk that is gone, in the words of the data set; damaged content has no errno."""

    def said(cause: OSError) -> FileError:
        try:
            try:
                raise cause
            except OSError:
                raise FileError("images that are listed and not there", "a.jpg") from cause
        except FileError as error:
            return error

    with pytest.raises(LostError, match="No such file"):
        raise_if_of_the_machine(said(FileNotFoundError(errno.ENOENT, "No such file", "a.jpg")))
    with pytest.raises(OSError, match="No space"):
        raise_if_of_the_machine(said(OSError(errno.ENOSPC, "No space left")))
    raise_if_of_the_machine(said(OSError("image file is truncated")))
