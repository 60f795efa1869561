"""Run a command so that no terminal can end it. No torch here.

Whatever the locale, and whatever stdout and stderr are (closed, a full disk, a pipe whose
reader left), printing is never what fails.
"""

import contextlib
import io
import os
import signal
import sys
from collections.abc import Callable, Iterator
from typing import Any, TextIO

from res2net.exit_codes import ExitCode
from res2net.file_names import printable_data


class Output(io.TextIOBase):
    """A stream that takes every text, and drops what cannot be written.

    Args:
        stream: stdout or stderr as Python opened it; None where it is closed.

    Attributes:
        lost: why nothing is written any more; None while all is well.
        stops: whether a reader that leaves stops the command, as Ctrl-C does.
    """

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream
        self.lost: Exception | None = None
        self.stops = False

    @property
    def encoding(self) -> str:  # type: ignore[override]  # typeshed has an attribute
        """Of the stream; what draws tables asks for it."""
        return getattr(self._stream, "encoding", None) or "ascii"

    @property
    def reader_left(self) -> bool:
        """Whether whoever read the output has gone, as `head` does."""
        return isinstance(self.lost, BrokenPipeError)

    @property
    def full(self) -> bool:
        """Whether what was written did not arrive, though nobody meant it to be lost."""
        return isinstance(self.lost, OSError) and not self.reader_left

    def write(self, text: str) -> int:
        """Write a text; characters that the stream cannot hold are written as escapes."""
        if self._stream is not None and self.lost is None:
            try:
                self._write(self._stream, text)
            except (OSError, ValueError) as error:  # ValueError: it was closed meanwhile
                self._lose(error)
        return len(text)

    def flush(self) -> None:
        """Hand on what is buffered."""
        if self._stream is not None and self.lost is None:
            try:
                self._stream.flush()
            except (OSError, ValueError) as error:
                self._lose(error)

    def isatty(self) -> bool:
        """Whether a person may be looking at it."""
        return self._stream is not None and self.lost is None and self._stream.isatty()

    def fileno(self) -> int:
        """Of the stream, for what asks how wide the terminal is."""
        if self._stream is None:
            raise io.UnsupportedOperation("fileno")
        return self._stream.fileno()

    def __getattr__(self, name: str) -> Any:
        """What else the stream has, such as `buffer`, for code that is not ours."""
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._stream, name)

    def _write(self, stream: TextIO, text: str) -> None:
        if stream.errors == "backslashreplace":  # stderr: its escapes of names nobody can read
            text = str(printable_data(text))
        try:
            stream.write(text)
        except UnicodeEncodeError:
            stream.write(_written_out(text, self.encoding))

    def _lose(self, error: Exception) -> None:
        self.lost = error
        # Else Python, which still holds a part of it, fails again when it ends.
        with contextlib.suppress(OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self.fileno())
            os.close(nowhere)
        if self.stops and self.reader_left:
            signal.raise_signal(signal.SIGINT)


def run_command(work: Callable[[], int], *, prints: bool = True) -> int:
    """Run a command whose output may be anything; its exit code.

    Args:
        work: the command; prints to sys.stdout and sys.stderr, returns its exit code.
        prints: whether what it prints is all that comes of it: then it has failed where that
            was lost, to a full disk say, and not because its reader had seen enough.
    """
    _open_closed_files()
    out, err = Output(sys.stdout), Output(sys.stderr)
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = work()
            out.flush()
            if prints and code == ExitCode.DONE and out.full:
                err.write(f"{why_lost()}\n")
                code = ExitCode.FAILED
            return code
        except KeyboardInterrupt:
            err.write("stopped\n")
            return ExitCode.STOPPED
        finally:
            out.flush()
            err.flush()


@contextlib.contextmanager
def stopped_with_its_reader() -> Iterator[None]:
    """While this lasts, a reader of stdout that leaves is taken for Ctrl-C.

    Raises:
        KeyboardInterrupt: it has left.
    """
    out = sys.stdout
    if not isinstance(out, Output):
        yield
        return
    if out.reader_left:
        raise KeyboardInterrupt
    out.stops = True
    try:
        yield
    finally:
        out.stops = False


def why_lost() -> str:
    """Tell why stdout takes nothing any more; empty while it does."""
    out = sys.stdout
    if not isinstance(out, Output) or out.lost is None:
        return ""
    error = out.lost
    if out.reader_left:
        return "whoever read the output has left"
    reason = error.strerror if isinstance(error, OSError) else None
    return f"the output cannot be written ({reason or error})"


def _written_out(text: str, encoding: str) -> str:
    """The text in characters that an encoding has; what it lacks as escapes."""
    return str(printable_data(text)).encode(encoding, "backslashreplace").decode(encoding)


def _open_closed_files() -> None:
    """Lead closed standard files nowhere: the next file that is opened would take their place.

    A journal would become stdout, and libraries print into it.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
