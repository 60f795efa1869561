"""No locale and no stdout ends a command: each runs its course, whoever reads its words."""

import contextlib
import fcntl
import io
import json
import os
import pty
import struct
import subprocess
import sys
import termios
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from analysis.inside.receptive import main as receptive
from analysis.report import main as report
from res2net.__main__ import main as res2net
from res2net.exit_codes import ExitCode
from res2net.file_names import printable_data
from res2net.terminal import run_command
from search.result import draw_summary
from search.run import main
from search.study.events import Ended, Epoch, Started, Status
from search.study.journal import read
from search.train import main as train
from tests.analysis.made import undrawn
from tests.search.conftest import _nothing_drawn  # noqa: F401 - a process of its own
from tests.search.images.trees import plant
from tests.search.spaces import TINY, write

ROOT = Path(__file__).parents[2]
ONE = TINY.replace("epochs: 3", "epochs: 1").replace("trials: 3", "trials: 1")
ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
NAME = "Res2Net-50-26w-4s"


def ascii_only(folder: Path) -> io.TextIOWrapper:
    """As `PYTHONIOENCODING=ascii` opens it: what it lacks is an error."""
    return (folder / "out").open("w", encoding="ascii", errors="strict")


def full_disk(folder: Path) -> io.TextIOWrapper:
    return Path("/dev/full").open("w", encoding="utf-8")


def closed(folder: Path) -> None:
    """What Python makes of `>&-`."""


def closed_later(folder: Path) -> io.TextIOWrapper:
    stream = (folder / "out").open("w", encoding="utf-8")
    stream.close()
    return stream


def nobody_reads(folder: Path) -> io.TextIOWrapper:
    """A pipe whose reader has left, as `head -1` does after a line."""
    reading, writing = os.pipe()
    os.close(reading)
    return os.fdopen(writing, "w", encoding="utf-8", buffering=1)


Make = Callable[[Path], io.TextIOWrapper | None]
STREAMS = (ascii_only, full_disk, closed, closed_later, nobody_reads)


@contextlib.contextmanager
def through(make: Make, folder: Path, name: str = "stdout") -> Iterator[None]:
    """Lead stdout, or stderr, somewhere; in the test itself, as pytest leads it away before."""
    before, stream = getattr(sys, name), make(folder)
    setattr(sys, name, stream)
    try:
        yield
    finally:
        setattr(sys, name, before)
        if stream is not None:
            with contextlib.suppress(OSError, ValueError):
                stream.close()


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run, in a folder whose name is not ASCII."""
    folder = tmp_path_factory.mktemp("été \u2502")
    with pytest.MonkeyPatch.context() as patch:  # as for each test
        patch.setattr("search.closing.draw_summary", lambda *_, **__: 0)
        assert main([str(write(folder, ONE)), "--inline", "--out", str(folder / "run")]) == 0
    return folder / "run"


PRINTED = {
    "plan": lambda run: main([str(run.parent / "space.yaml"), "--plan"]),
    "nothing left": lambda run: main([str(run.parent / "space.yaml"), "--out", str(run)]),
    "network": lambda _: res2net([NAME]),
    "json": lambda _: res2net([NAME, "--json", "--receptive-fields"]),
    "fields": lambda _: res2net([NAME, "--receptive-fields", "--image-size", "64"]),
    "published": lambda _: res2net(["--published"]),
    "markdown": lambda run: report([str(run), "--markdown"]),
    "latex": lambda run: report([str(run), "--format", "latex"]),
    "report": lambda run: report([str(run), "--out", str(run / "é.html")]),
    "drawing": lambda run: receptive(["29d-1c-2s", "--out", str(run / "é.png")]),
}


# What these print is all that comes of them: a disk that is full takes it away.
ALL_THAT_COMES = {"plan", "network", "json", "fields", "published", "markdown", "latex"}


def named(makes: Sequence[Any]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("make", makes, ids=lambda make: make.__name__)


@named([*STREAMS[:3], pytest.param(closed_later, marks=pytest.mark.slow), nobody_reads])
def test_commands_that_print_reach_their_end(
    make: Make, tmp_path: Path, run_folder: Path
) -> None:
    for name, command in PRINTED.items():
        with through(make, tmp_path), undrawn():  # the report's figures meet no terminal
            code = command(run_folder)
        lost = make is full_disk and name in ALL_THAT_COMES
        assert code == (ExitCode.FAILED if lost else ExitCode.DONE), name
    for written in ("é.html", "é.png"):
        (run_folder / written).unlink()  # it was written, whoever listened


@named(STREAMS)
def test_bad_input_is_2_for_any_stdout(make: Make, tmp_path: Path, run_folder: Path) -> None:
    with through(make, tmp_path):
        codes = res2net(["Bücher-50"]), main([str(run_folder / "│.yaml"), "--plan"])
    assert codes == (2, 2)


@named(STREAMS[:-1])
def test_a_study_runs_to_its_end(make: Make, tmp_path: Path) -> None:
    out = tmp_path / "│é"
    with through(make, tmp_path):
        code = main([str(write(tmp_path, ONE)), "--inline", "--out", str(out)])
    assert code == 0
    assert [r.status for r in read(out) if isinstance(r, Ended)] == [Status.OK]


@named([full_disk, closed])
def test_so_does_the_training_of_one_network(make: Make, tmp_path: Path) -> None:
    data = ["--data", "synthetic", "--epochs", "1"]
    out = ["--inline", "--out", str(tmp_path / "run")]
    with through(make, tmp_path):
        code = train(["resnet11_2w_2p_4classes", *data, *out])
    assert code == 0


def test_a_study_nobody_reads_is_kept_and_stderr_says_what_became_of_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = TINY.replace("epochs: 3", "epochs: 50")
    command = [str(write(tmp_path, text)), "--inline", "--out", str(tmp_path / "run")]
    with through(nobody_reads, tmp_path):
        code = main(command)
    assert code == 130
    said = capsys.readouterr().err
    assert "the output has left" in said
    assert "resume with: python -m search.run" in said
    assert not [r for r in read(tmp_path / "run") if isinstance(r, Ended)]


def test_a_reader_that_leaves_later_finds_what_ran_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It reads on until the first trial starts: the epoch under way is finished and saved."""
    reading, writing = os.pipe()
    reader = os.fdopen(reading, encoding="utf-8")

    def read_and_leave() -> None:
        next(line for line in reader if "trial 0 ok" in line)
        reader.close()

    leaving = threading.Thread(target=read_and_leave)
    leaving.start()
    text = TINY.replace("epochs: 3", "epochs: 5").replace("trials: 3", "trials: 20")
    command = [str(write(tmp_path, text)), "--inline", "--out", str(tmp_path / "run")]
    with through(lambda _: os.fdopen(writing, "w", encoding="utf-8"), tmp_path):
        code = main(command)
    leaving.join()
    assert code == 130
    assert "resume with: python -m search.run" in capsys.readouterr().err
    starts, ends = (
        {r.trial for r in read(tmp_path / "run") if isinstance(r, kind)}
        for kind in (Started, Ended)
    )
    saved = {int(path.stem) for path in (tmp_path / "run" / "checkpoints").glob("*.pt")}
    assert starts - ends == saved


def test_a_disk_that_takes_no_words_is_said_at_the_end(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with through(full_disk, tmp_path):
        code = main([str(write(tmp_path, ONE)), "--inline", "--out", str(tmp_path / "run")])
    assert code == 0
    said = capsys.readouterr().err
    assert "No space left on device" in said
    assert "tiny: the only trial has ended; record: " in said


@named([full_disk, closed, nobody_reads])
def test_stderr_may_be_anything_too(make: Make, tmp_path: Path) -> None:
    with through(make, tmp_path, "stderr"):
        codes = res2net(["Bücher-50"]), main([str(tmp_path / "none.yaml")])
    assert codes == (2, 2)


def test_the_table_is_whole_in_a_window_of_40_columns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    screen, ours = pty.openpty()
    fcntl.ioctl(ours, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 40, 0, 0))
    monkeypatch.setenv("COLUMNS", "40")
    shown = bytearray()

    def look() -> None:
        with contextlib.suppress(OSError):  # the terminal is gone
            while some := os.read(screen, 4096):
                shown.extend(some)

    looking = threading.Thread(target=look)
    looking.start()
    with through(lambda _: os.fdopen(ours, "w", encoding="utf-8"), tmp_path):
        codes = [
            main([str(write(tmp_path)), "--plan"]),
            res2net([NAME]),
            main([str(write(tmp_path, ONE)), "--inline", "--out", str(tmp_path / "run")]),
        ]
    looking.join()
    assert codes == [0, 0, 0]
    text = shown.decode()
    assert "286,336  29,664" in text, "the dearest candidate's numbers"
    assert "4,255,166,464" in text
    plan = text[: text.index("search: 3 trials")]
    assert "\u2026" not in plan, "nothing is cut off"


def shell(
    line: str, *arguments: object, **environment: str
) -> subprocess.CompletedProcess[str]:
    """A line as a person types it, "$@" being a python command."""
    command = [sys.executable, "-m", *map(str, arguments)]
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", line, "bash", *command],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


@pytest.mark.slow
def test_a_bare_locale_with_names_that_are_no_ascii(tmp_path: Path) -> None:
    """Space file, run folder, data set and class names; no home, and 40 columns."""
    tree = plant(tmp_path / "été │", ["chien", "süß"], train=8, val=2, side=8)
    data = f"{{name: imagefolder, root: '{tree}', resolution: 8, validation: 4}}"
    text = ONE.replace("{name: synthetic, validation: 64}", data).replace("size: 32", "size: 4")
    text = text.replace("validation: 4}", "validation: 4, classes: [chien, süß]}")
    space, out = tmp_path / "│ é.yaml", tmp_path / "ruñ"
    space.write_text(text, encoding="utf-8")
    narrow = ASCII | {"COLUMNS": "40", "HOME": "/proc/nowhere"}
    ran = shell('"$@"', "search.run", space, "--inline", "--out", out, **narrow)
    assert ran.returncode == 0, ran.stderr
    assert "Traceback" not in ran.stderr
    assert [r.status for r in read(out) if isinstance(r, Ended)] == [Status.OK]
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["plan"]["data"]["root"] == str(tree), "as any locale reads it"
    (about,) = (out / "networks").glob("*.json")
    assert json.loads(about.read_text(encoding="utf-8"))["classes"] == ["chien", "süß"]
    assert main([str(space), "--inline", "--out", str(out)]) == 0, "this locale goes on with it"
    made = shell('"$@"', "analysis.report", out, **ASCII)
    assert made.returncode == 0, made.stderr
    assert "ruñ" in (out / "report.html").read_text(encoding="utf-8")


@pytest.mark.slow
def test_closed_files_are_not_taken_by_the_run_s_own(tmp_path: Path) -> None:
    """The next file that is opened would be stdout, and whoever prints would write into it."""
    out = tmp_path / "run"
    space = write(tmp_path, ONE)
    ran = shell('"$@" <&- >&- 2>&-', "search.run", space, "--inline", "--out", out)
    assert ran.returncode == 0
    kinds = [type(record) for record in read(out)]
    assert kinds == [Started, Epoch, Ended]


@pytest.mark.slow
@pytest.mark.ray
def test_head_on_ray(tmp_path: Path) -> None:
    text = TINY.replace("epochs: 3", "epochs: 4000")
    ran = shell(
        '"$@" | head -1', "search.run", write(tmp_path, text), "--out", tmp_path / "run"
    )
    assert ran.returncode == 130
    assert "trials to run" in ran.stdout
    assert "the output has left" in ran.stderr
    assert "Traceback" not in ran.stderr
    assert "resume with: python -m search.run" in ran.stderr


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("plain", "plain"),
        ("é", "é"),
        (os.fsdecode("é".encode()), "é"),
        ("caf\udce9", "caf\\xe9"),
        ("\ud83d", "\\ud83d"),
    ],
)
def test_names_are_text_that_any_file_holds(name: str, shown: str) -> None:
    assert printable_data(name) == shown
    assert printable_data({"a": [name]})["a"][0].encode()


def test_a_file_of_one_s_own_named_like_a_package_of_ours_is_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "analysis.py").write_text("print('mine was run')")
    monkeypatch.chdir(tmp_path)
    assert draw_summary(tmp_path / "nothing") == 2
    said = "".join(capfd.readouterr())
    assert "contains no journal.jsonl" in said
    assert "mine was run" not in said


def test_code_of_others_finds_what_a_stream_has(capfd: pytest.CaptureFixture[str]) -> None:
    def work() -> int:
        sys.stdout.buffer.write(b"bytes")
        sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
        return 0

    stream = os.fdopen(os.dup(1), "w", encoding="utf-8")
    with contextlib.redirect_stdout(stream):
        assert run_command(work) == 0
    stream.close()
    assert capfd.readouterr().out == "bytes"
