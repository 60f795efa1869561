"""Run a command so that a problem with its output cannot end it. No torch here.

Printing never raises, whatever the locale and whatever stdout and stderr are (closed, a full
disk, a pipe whose reader left).
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
    """A stream that accepts any text and drops what cannot be written.

    Args:
        stream: stdout or stderr as Python opened it; None where it is closed.

    Attributes:
        lost: why nothing is written any more; None while writing works.
        stops: whether the command stops, as by Ctrl-C, when the reader leaves.
    """

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream
        self.lost: Exception | None = None
        self.stops = False

    @property
    def encoding(self) -> str:  # type: ignore[override]  # typeshed has an attribute
        """Encoding of the stream; code that draws tables asks for it."""
        return getattr(self._stream, "encoding", None) or "ascii"

    @property
    def reader_left(self) -> bool:
        """Whether the reader of the output has gone, as `head` does."""
        return isinstance(self.lost, BrokenPipeError)

    @property
    def full(self) -> bool:
        """Whether output was lost unintentionally, not because its reader left."""
        return isinstance(self.lost, OSError) and not self.reader_left

    def write(self, text: str) -> int:
        """Write a text; characters that the stream cannot encode are written as escapes."""
        if self._stream is not None and self.lost is None:
            try:
                self._write(self._stream, text)
            except (OSError, ValueError) as error:  # ValueError: it was closed meanwhile
                self._lose(error)
        return len(text)

    def flush(self) -> None:
        """Flush the stream's buffer."""
        if self._stream is not None and self.lost is None:
            try:
                self._stream.flush()
            except (OSError, ValueError) as error:
                self._lose(error)

    def isatty(self) -> bool:
        """Whether a person may be looking at it."""
        return self._stream is not None and self.lost is None and self._stream.isatty()

    def fileno(self) -> int:
        """Descriptor of the stream, for code that asks for the width of the terminal."""
        if self._stream is None:
            raise io.UnsupportedOperation("fileno")
        return self._stream.fileno()

    def __getattr__(self, name: str) -> Any:
        """Other attributes of the stream, such as `buffer`, for third-party code."""
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._stream, name)

    def _write(self, stream: TextIO, text: str) -> None:
        if stream.errors == "backslashreplace":  # stderr: its own escapes are unreadable
            text = str(printable_data(text))
        try:
            stream.write(text)
        except UnicodeEncodeError:
            stream.write(_written_out(text, self.encoding))

    def _lose(self, error: Exception) -> None:
        self.lost = error
        # Otherwise Python, which still buffers part of the output, fails again on exit.
        with contextlib.suppress(OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self.fileno())
            os.close(nowhere)
        if self.stops and self.reader_left:
            signal.raise_signal(signal.SIGINT)


def run_command(work: Callable[[], int], *, prints: bool = True) -> int:
    """Run a command, whatever its output is connected to; return its exit code.

    Args:
        work: the command; prints to sys.stdout and sys.stderr and returns its exit code.
        prints: whether printed output is the command's only result. Then it has failed if that
            output was lost, to a full disk say, but not if the reader left.
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
    """In this context, a reader of stdout that leaves has the same effect as Ctrl-C.

    Raises:
        KeyboardInterrupt: the reader has left.
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
    """Give the reason why stdout cannot be written any more; empty while it can."""
    out = sys.stdout
    if not isinstance(out, Output) or out.lost is None:
        return ""
    error = out.lost
    if out.reader_left:
        return "whoever read the output has left"
    reason = error.strerror if isinstance(error, OSError) else None
    return f"the output cannot be written ({reason or error})"


def _written_out(text: str, encoding: str) -> str:
    """Give the text with characters that the encoding lacks written as escapes."""
    return str(printable_data(text)).encode(encoding, "backslashreplace").decode(encoding)


def _open_closed_files() -> None:
    """Connect closed standard streams to the null device, so that no file takes their place.

    Otherwise the next file opened, such as a journal, would become stdout, and libraries would
    print into it.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
