"""Define the exit codes of every command, and what each means. No torch here."""

from collections.abc import Collection
from enum import IntEnum


class ExitCode(IntEnum):
    """How a command ended."""

    DONE = 0
    FAILED = 1
    BAD_INPUT = 2
    NO_TRIAL_OK = 3
    OUT_OF_TIME = 4
    STOPPED = 130  # what shells report for a command ended by Ctrl-C

    @property
    def meaning(self) -> str:
        """The code's meaning, in one line."""
        return _MEANINGS[self]


_MEANINGS = {
    ExitCode.DONE: "done: nothing is left to do",
    ExitCode.FAILED: "a file, a disk, Ray or the program failed; what had finished is kept",
    ExitCode.BAD_INPUT: (
        "bad input: the message says where, which value, which rule and what to do"
    ),
    ExitCode.NO_TRIAL_OK: (
        "finished, but no trial of this start is ok: each failed, diverged, ran out of "
        "memory or was rejected"
    ),
    ExitCode.OUT_OF_TIME: (
        "the time limit was reached with work left; the same command resumes it"
    ),
    ExitCode.STOPPED: (
        "stopped by Ctrl-C, SIGTERM or SIGHUP, or because its output's reader left; the same "
        "command resumes it"
    ),
}
# Exit codes of commands that run no trials.
PLAIN = (ExitCode.DONE, ExitCode.FAILED, ExitCode.BAD_INPUT, ExitCode.STOPPED)


def exit_code_help(codes: Collection[ExitCode] = tuple(ExitCode)) -> str:
    """Write the table of exit codes for a command's --help."""
    rows = (f"  {code:<4} {code.meaning}" for code in codes)
    return "\n".join(["exit codes:", *rows])
