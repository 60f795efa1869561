"""`python -m benchmarks.gpu` goes on where it ended, names what fails, and keeps its time."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchmarks.gpu import STATE, TABLE, go
from benchmarks.gpu_steps import Asked, Step, steps
from res2net.exit_codes import ExitCode

ROOT = Path(__file__).parents[1]
LONG = 3600.0


def step(name: str, code: str, *, needs: float = 30, **options: object) -> Step:
    """A step of a line of Python, which notes in `<name>.ran` that it began."""
    noted = f"open({name + '.ran'!r}, 'a').write('x'); {code}"
    return Step(name, (sys.executable, "-c", noted), needs, **options)  # type: ignore[arg-type]  # by keyword


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def ran(name: str) -> int:
    """How often a step began."""
    path = Path(f"{name}.ran")
    return len(path.read_text()) if path.exists() else 0


def states(out: Path) -> dict[str, str]:
    told = json.loads((out / STATE).read_text(encoding="utf-8"))
    return {name: outcome["state"] for name, outcome in told.items()}


def is_running(process: int) -> bool:
    """Whether it does something: one that ended and that nobody asked for does not."""
    line = Path(f"/proc/{process}/cmdline")
    with contextlib.suppress(OSError):
        return bool(line.read_bytes())
    return False


def three() -> list[Step]:
    """Of which the second waits to be killed."""
    waits = (
        "import os, time; print('at it', os.getpid(), flush=True); "
        "os.path.exists('go') or time.sleep(600)"
    )
    return [step("one", "print('1 thing')"), step("two", waits, needs=900), step("three", "1")]


DRIVER = """
import sys
from pathlib import Path
from benchmarks.gpu import go
from tests.test_gpu_command import three
sys.exit(go(three(), Path("out"), seconds=3600))
"""


@pytest.mark.parametrize(
    "number", [pytest.param(signal.SIGTERM, marks=pytest.mark.slow), signal.SIGKILL]
)
def test_after_a_kill_the_next_call_goes_on(tmp_path: Path, number: int) -> None:
    command = [sys.executable, "-c", DRIVER]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with (tmp_path / "said").open("wb") as said:
        first = subprocess.Popen(command, env=environment, stdout=said, stderr=said)
        held = tmp_path / "out/two.txt"
        for _ in range(600):
            if held.exists() and "\nat it" in held.read_text():
                break
            time.sleep(0.1)
        first.send_signal(number)
        assert first.wait(60) != 0
    process = int(held.read_text().split()[-1])
    for _ in range(100):
        if not is_running(process):
            break
        time.sleep(0.1)
    assert not is_running(process), "a step does not stay behind"
    assert states(Path("out")) == {"one": "done", "two": "begun"}
    (tmp_path / "go").touch()
    assert go(three(), Path("out"), seconds=LONG) == ExitCode.DONE
    assert states(Path("out")) == dict.fromkeys(("one", "two", "three"), "done")
    assert [ran(name) for name in ("one", "two", "three")] == [1, 2, 1]


def test_a_step_that_fails_is_named_and_tried_once_more(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = [
        step("breaks", "print('before it'); raise SystemExit('no such luck')"),
        step("works", "print('12 images/s')", headline=r"(\d+) images/s", says=r"\1 a second"),
        step("not here", "print('skipped: needs a GPU')"),
    ]
    assert go(asked, tmp_path / "out", seconds=LONG) == ExitCode.OUT_OF_TIME
    said = capsys.readouterr().out
    assert "breaks failed, ended with 1:" in said
    assert "before it" in said
    assert "no such luck" in said
    assert "failed, tried again" in said
    assert "12 a second" in said
    told = {"breaks": "failed", "works": "done", "not here": "skipped"}
    assert states(tmp_path / "out") == told
    for _ in range(2):
        assert go(asked, tmp_path / "out", seconds=LONG) == ExitCode.FAILED
    assert [ran(each.name) for each in asked] == [2, 1, 1]
    assert "failed, gave up" in (tmp_path / "out" / TABLE).read_text(encoding="utf-8")


def test_nothing_begins_that_does_not_fit_and_nothing_lasts_longer(tmp_path: Path) -> None:
    sleeps = "import time; time.sleep(600)"
    asked = [
        step("too long", "1", needs=100),
        step("hangs", sleeps, needs=1),
        step(
            "hangs and more",
            f"import subprocess, sys; subprocess.run([sys.executable, '-c', {sleeps!r}])",
            needs=1,
        ),
        step("fits", "1", needs=5),
    ]
    begun = time.monotonic()
    assert go(asked, tmp_path / "out", seconds=60) == ExitCode.OUT_OF_TIME
    assert time.monotonic() - begun < 60
    outcome = {"hangs": "failed", "hangs and more": "failed", "fits": "done"}
    assert states(tmp_path / "out") == outcome
    assert ran("too long") == 0
    assert "needs 1.7 min" in (tmp_path / "out" / TABLE).read_text(encoding="utf-8")


def test_the_study_takes_what_is_left_and_goes_on(tmp_path: Path) -> None:
    code = (
        "import os; print('{seconds}'); done = os.path.exists('half'); open('half', 'w'); "
        "raise SystemExit(0 if done else 4)"
    )
    asked = [step("study", code, goes_on=True)]
    assert go(asked, tmp_path / "out", seconds=100) == ExitCode.OUT_OF_TIME
    assert states(tmp_path / "out") == {"study": "goes on"}
    assert 70 <= int((tmp_path / "out/study.txt").read_text().splitlines()[-1]) <= 85
    assert go(asked, tmp_path / "out", seconds=100) == ExitCode.DONE
    assert states(tmp_path / "out") == {"study": "done"}


def test_another_command_of_the_same_name_is_not_done(tmp_path: Path) -> None:
    for code in ("print(1)", "print(2)", "print(2)"):
        go([step("one", code)], tmp_path / "out", seconds=LONG)
    assert ran("one") == 2


@pytest.mark.parametrize("device", ["cpu", "cuda"])
@pytest.mark.parametrize("small", [True, False])
def test_each_step_is_a_command_that_its_program_understands(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, device: str, small: bool
) -> None:
    """Their options and spaces are read by what will read them, and no name comes twice."""
    pytest.importorskip("timm")
    from benchmarks import block, limits, packing, train  # noqa: PLC0415 - slow to import
    from benchmarks import input as batches  # noqa: PLC0415 - slow to import
    from search.api import load_space  # noqa: PLC0415 - slow to import
    from search.run_command import _parser  # noqa: PLC0415 - slow to import

    monkeypatch.chdir(ROOT)
    asked = list(steps(Asked(device, small, tmp_path, tmp_path)))
    assert len({each.name for each in asked}) == len(asked)
    modules = {"block": block, "limits": limits, "packing": packing, "train": train}
    modules["input"] = batches
    for each in asked:
        _, _, module, *rest = each.command
        name = module.removeprefix("benchmarks.")
        if name in modules:
            modules[name]._parser().parse_args(rest)
    told = _parser().parse_args(asked[-1].command[3:])
    space = load_space(told.space, told.set)
    assert space.file.data.name == "benchmarks.noise:NOISE"
    assert any(path.endswith("test_memory.py") for path in asked[0].command)


@pytest.mark.slow
def test_all_of_it_runs_on_a_cpu(tmp_path: Path) -> None:
    """Small, and on noise where CIFAR-100 is not; minutes, on a busy machine not all of it."""
    options = ["--device", "cpu", "--small", "--data", str(tmp_path), "--out", str(tmp_path)]
    command = [sys.executable, "-m", "benchmarks.gpu", *options, "--runs", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, timeout=600, check=False)
    assert done.returncode in (ExitCode.DONE, ExitCode.OUT_OF_TIME)
    assert not {*states(tmp_path).values()} - {"done", "skipped", "goes on"}
