"""A wait inside compiled code, which keeps Python's lock, is ended from beside."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[3]
# PyDLL keeps the lock while it calls: no thread and no handler of signals runs meanwhile.
STUCK = """\
import ctypes, signal, sys
from search.executors.patience import waiting_at_most
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in a shell's background
with waiting_at_most(float(sys.argv[1]), "nothing is lost"):
    signal.signal(signal.SIGINT, lambda *_: None)  # as a first Ctrl-C, which is passed on
    print("waits", flush=True)
    mutex, locks = ctypes.create_string_buffer(64), int(sys.argv[2])
    for _ in range(locks):
        ctypes.PyDLL(None).pthread_mutex_lock(mutex)  # the second waits for ever
print("goes on", flush=True)
"""


def stuck(patience: float, locks: int = 2) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", STUCK, str(patience), str(locks)],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "waits\n"
    return process


def test_it_is_killed_when_time_is_up() -> None:
    process = stuck(0.5)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == -signal.SIGKILL
    assert errors == "nothing is lost\n"


def test_the_third_ctrl_c_ends_it() -> None:
    process = stuck(60)
    for _ in range(2):
        os.killpg(process.pid, signal.SIGINT)
        time.sleep(1.1)
        assert process.poll() is None
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == -signal.SIGKILL
    assert errors == "nothing is lost\n"


def test_what_does_not_take_so_long_goes_on() -> None:
    process = stuck(30, 1)
    printed, errors = process.communicate(timeout=30)
    assert (process.returncode, printed, errors) == (0, "goes on\n", "")
