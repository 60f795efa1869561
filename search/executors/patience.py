"""Kills this process if it waits too long for Ray, in compiled code that blocks everything.

`ray.init` may wait for an answer that never comes, and keeps Python's lock meanwhile: no
thread, no timer and no Ctrl-C gets through. So a second process keeps the time, and kills this
one when it is up.
"""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

# Ends when its input does; prints the words and kills its parent when time is up, or at the
# third signal, as `search.executors.signals` does. Signals within a second count as one.
_BESIDE = """\
import os, select, signal, sys, time
parent, seconds, words = int(sys.argv[1]), float(sys.argv[2]), sys.argv[3]
times = [0, 0.0]
def end():
    os.write(2, (words + "\\n").encode(errors="replace"))
    os.kill(parent, signal.SIGKILL)
    os._exit(0)
def count(number, frame):
    now = time.monotonic()
    if now - times[1] >= 1.0:
        times[0] += 1
    times[1] = now
    if times[0] == 3:
        end()
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    if signal.getsignal(number) is not signal.SIG_IGN:
        signal.signal(number, count)
signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGINT, signal.SIGTERM, signal.SIGHUP))
try:
    os.write(1, b"ready")
except OSError:  # the parent was interrupted, and reads no more
    os._exit(0)
if not select.select([0], [], [], seconds)[0]:
    end()
"""


@contextlib.contextmanager
def waiting_at_most(seconds: float, words: str) -> Iterator[None]:
    """Kill this process if the block takes longer, or at the third Ctrl-C.

    Args:
        seconds: time limit.
        words: message on stderr at the end of the limit: what happened, and what to do.
    """
    command = [sys.executable, "-I", "-S", "-c", _BESIDE, str(os.getpid()), str(seconds), words]
    # The second process ends with its input, so also when this process is killed.
    with _started_quietly(command) as beside:
        assert beside.stdout is not None
        beside.stdout.read(5)  # wait until it handles signals
        yield


def _started_quietly(command: Sequence[str]) -> "subprocess.Popen[bytes]":
    """Start Python with signals blocked until its first lines have set their handlers.

    Otherwise a Ctrl-C, which a terminal sends to both processes, would print a traceback there.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    try:
        return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603 - ours
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
