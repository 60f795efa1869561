"""Ctrl-C, which a terminal sends to all processes of a command, is left to the first one."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from res2net.child_processes import deaf_to_ctrl_c

ROOT = Path(__file__).parents[2]
PARENT = """\
import multiprocessing, signal
from res2net.child_processes import deaf_to_ctrl_c
if __name__ == "__main__":
    with deaf_to_ctrl_c():
        {start}
    signal.signal(signal.SIGINT, lambda *_: None)  # it ends them when it wants to
    print("started", flush=True)
    print({answer})
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # as it ends, Python would let it be killed
"""
SPAWNED = (
    "pool = multiprocessing.get_context('spawn').Pool(1)",
    "pool.apply(sum, ([1, 2],))",
)
FORKED_BY_A_SERVER = (
    "pool = multiprocessing.get_context('forkserver').Pool(1)",
    "pool.apply(sum, ([1, 2],))",
)


@pytest.mark.parametrize(("start", "answer"), [SPAWNED, FORKED_BY_A_SERVER])
def test_processes_do_not_hear_it_while_they_start(
    tmp_path: Path, start: str, answer: str
) -> None:
    program = tmp_path / "program.py"
    program.write_text(PARENT.format(start=start, answer=answer))
    process = subprocess.Popen(
        [sys.executable, program],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "started\n"
    for _ in range(50):  # while Python starts
        os.killpg(process.pid, signal.SIGINT)
        time.sleep(0.002)
    printed, _ = process.communicate(timeout=60)
    assert (process.returncode, printed) == (0, "3\n")


def test_what_came_is_heard_also_where_starting_fails() -> None:
    heard: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _: heard.append(number))

    def fail() -> None:
        with deaf_to_ctrl_c():
            signal.raise_signal(signal.SIGTERM)
            raise OSError("no process")

    try:
        with pytest.raises(OSError, match="no process"):
            fail()
    finally:
        signal.signal(signal.SIGTERM, before)
    assert heard == [signal.SIGTERM]
