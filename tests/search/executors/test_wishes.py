"""A signal is heard wherever it comes, also where an interruption does harm or is dropped."""

import importlib
import os
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest

from search.executors.signals import asked_to_end

ROOT = Path(__file__).parents[3]
LONG = 30  # seconds, that no interruption takes to come
INTERRUPTED = """\
from search.executors.signals import run_process
run_process(lambda _arguments: exec("import signal; signal.raise_signal(signal.SIGINT)"))
"""


def expect_interruption(body: Callable[[], object]) -> None:
    """Run something, and wait for the interruption that it brought about."""

    def run() -> None:
        with asked_to_end():
            body()
            time.sleep(LONG)

    with pytest.raises(KeyboardInterrupt):
        run()


def test_modules_are_imported_to_their_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outer, inner = tmp_path / "outer_module.py", tmp_path / "inner_module.py"
    outer.write_text("import inner_module\nwhole = inner_module.whole\n")
    inner.write_text("import signal\nsignal.raise_signal(signal.SIGINT)\nwhole = True\n")
    monkeypatch.syspath_prepend(tmp_path)
    expect_interruption(lambda: importlib.import_module("outer_module"))
    assert sys.modules["outer_module"].whole  # nothing stays of one that broke off


def test_a_second_signal_ends_an_import(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "import signal, time\nfor _ in range(2):\n    signal.raise_signal(signal.SIGINT)\n"
    (tmp_path / "endless_module.py").write_text(text + "    time.sleep(1.1)\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(KeyboardInterrupt), asked_to_end():
        importlib.import_module("endless_module")


class Dropping:
    """Its destructor is interrupted, which Python only logs."""

    def __del__(self) -> None:
        signal.raise_signal(signal.SIGINT)


def test_a_wish_that_waited_is_not_repeated_after_a_newer_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is repeated 0.3, 0.9 and 1.5 seconds after it came; the newer one comes after 1.3."""
    monkeypatch.setattr("search.executors.signals._MOMENT", 0.3)
    text = "import signal, time\nfor _ in range(2):\n    signal.raise_signal(signal.SIGINT)\n"
    (tmp_path / "slow_module.py").write_text(f"{text}    time.sleep(1.3)\n")
    monkeypatch.syspath_prepend(tmp_path)
    again = False
    with asked_to_end():
        with pytest.raises(KeyboardInterrupt):
            importlib.import_module("slow_module")
        try:
            time.sleep(0.5)
        except KeyboardInterrupt:
            again = True
    assert not again


def test_an_interruption_that_python_drops_comes_again() -> None:
    expect_interruption(Dropping)


def test_so_it_does_if_it_is_dropped_again_while_it_is_repeated(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without a pause it comes again before the code that repeats it has come to its end."""
    monkeypatch.setattr("search.executors.signals._MOMENT", 0.0)
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for _ in range(20):
            expect_interruption(Dropping)
    finally:
        sys.setswitchinterval(before)


def test_a_signal_that_comes_while_a_process_forks_is_heard() -> None:
    numbers = [signal.SIGINT]

    def after_a_fork() -> None:  # as `logging` has one; it stays, and does nothing more
        while numbers:
            signal.raise_signal(numbers.pop())

    os.register_at_fork(after_in_parent=after_a_fork)
    children: list[int] = []

    def fork() -> None:
        children.append(os.fork())
        if children == [0]:
            os._exit(0)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of threads and forks
        expect_interruption(fork)
    os.waitpid(children[0], 0)


def test_other_things_that_python_drops_are_said_as_ever(
    capsys: pytest.CaptureFixture[str],
) -> None:
    class Failing:
        def __del__(self) -> None:
            raise ValueError("of its own")

    sys.unraisablehook, before = sys.__unraisablehook__, sys.unraisablehook
    try:
        with asked_to_end():
            failing = Failing()
            del failing
        assert sys.unraisablehook is sys.__unraisablehook__
    finally:
        sys.unraisablehook = before
    assert "ValueError: of its own" in capsys.readouterr().err


def test_code_that_is_a_string_ends_like_other_code() -> None:
    """Python, which remembers such an interruption, would kill itself by SIGINT."""
    ended = subprocess.run(
        [sys.executable, "-c", INTERRUPTED],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (130, "stopped\n")


def test_a_program_that_runs_while_it_is_imported_is_interrupted_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "searching_module.py").write_text(
        "import signal, time\n"
        "from search.executors.signals import asked_to_end\n"
        "with asked_to_end():\n"
        "    signal.raise_signal(signal.SIGINT)\n"
        "    time.sleep(0.01)\n"
        "    raise AssertionError('it goes on')\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        importlib.import_module("searching_module")
