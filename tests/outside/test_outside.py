"""A study of parts from outside: a block, a data set, an optimiser, a recipe and a sampler."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from analysis.report import main as report_main
from search.run import main
from search.study import manifest
from search.study.events import Ended, Epoch, Started, Status
from search.study.journal import read
from tests.outside.parts import FILES, write_parts

NAMED = {
    "network.block": "my_block.py",
    "data.name": "my_data.py",
    "training.optimizer": "my_optimizer.py",
    "training.recipe": "my_recipe.yaml",
    "search.sampler": "my_sampler.py",
}


def spawn(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """The command, started in the folder of the parts."""
    return subprocess.Popen(
        [sys.executable, "-m", "search.run", "space.yaml", "--out", "run", *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def results(folder: Path) -> dict[int, tuple[str, Status, dict[str, float]]]:
    records = read(folder)
    names = {r.trial: r.name for r in records if isinstance(r, Started)}
    return {
        r.trial: (names[r.trial], r.status, r.metrics) for r in records if isinstance(r, Ended)
    }


def kill_after(epochs: int, folder: Path, *arguments: str) -> None:
    """Start it, and kill the driver with -9 once it has reported so many epochs."""
    process = spawn(folder, *arguments)
    until = time.monotonic() + 120
    while sum(isinstance(record, Epoch) for record in read(folder / "run")) < epochs:
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < until
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


@pytest.mark.slow
@pytest.mark.ray
def test_a_whole_study_survives_kill_9_and_says_where_each_part_came_from(
    tmp_path: Path, ray_address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    for folder in (whole, killed):
        folder.mkdir()
        write_parts(folder)
    monkeypatch.chdir(whole)
    assert main(["space.yaml", "--out", "run", "--inline"]) == 0
    expected = results(whole / "run")
    assert Counter(status for _, status, _ in expected.values()) == {Status.OK: 6}
    assert all("block-BLOCK-" in name for name, _, _ in expected.values())
    assert min(metrics["test_error"] for *_, metrics in expected.values()) < 25
    kill_after(7, killed, "--address", ray_address)
    monkeypatch.chdir(killed)
    assert main(["space.yaml", "--out", "run", "--inline"]) == 0
    assert results(killed / "run") == expected, "bit for bit, whoever ran it"
    held = manifest.read(killed / "run")
    assert held is not None
    assert {part.key: Path(part.source or "").name for part in held.parts} == NAMED
    assert all(part.digest and len(part.digest) == 64 for part in held.parts)
    report = killed / "report.html"
    assert report_main(["run", "--out", str(report)]) == 0
    said = report.read_text(encoding="utf-8")
    for part in held.parts:
        assert str(part.source) in said
        assert str(part.digest)[:12] in said


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write_parts(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refusal(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["space.yaml", "--out", "run", "--inline", *arguments]) == 2
    assert not (Path("run") / "journal.jsonl").exists(), "nothing is begun"
    return capsys.readouterr().err


CHANGES = [
    ("my_block.py", "tally.bias(position.out + 1", "tally.bias(position.out", "params"),
    ("my_block.py", "def count_paths", "def count_ways", "count_paths"),
    ("my_block.py", "from torch import nn", "from torch import nm", "cannot be imported"),
    ("my_data.py", "def load(", "def read(", "has no load"),
    ("my_data.py", "STRIPES = Stripes()", "STRIPES = Stripes", "is a class; give an instance"),
    (
        "my_data.py",
        "crop, test" if False else "classes, image_size",
        'crop = "a"\n    classes, image_size',
        "crop is 'a'",
    ),
    (
        "my_optimizer.py",
        "return Signs(groups",
        "raise ValueError('odd')\n    return Signs(groups",
        "cannot be made (ValueError: odd)",
    ),
    (
        "my_optimizer.py",
        "parameter.add_(",
        "parameter.addmm_(parameter, parameter) if parameter.ndim == 2 else parameter.nope(",
        "failed at its first step",
    ),
    (
        "my_block.py",
        "tally.conv(position.channels",
        "1 / 0; tally.conv(position.channels",
        "failed while candidates were counted (ZeroDivisionError",
    ),
    (
        "my_sampler.py",
        "        self._left = list",
        "        raise ValueError('even')\n        self._left = list",
        "cannot be made (ValueError: even)",
    ),
    ("my_sampler.py", 'traits = {"exhaustive"}', "traits = None", "its traits are None"),
    (
        "my_sampler.py",
        "return self._left[-1]",
        "return self._left[-1] * 1.0",
        "return the number of a candidate",
    ),
    ("my_data.py", "astype(np.uint8)", "astype(np.float32)", "float32 of shape"),
    ("my_data.py", "classes, image_size", "classes, image_side", "image_size"),
    (
        "my_optimizer.py",
        "return Signs(groups",
        "return dict(groups=groups",
        "not a torch Optimizer",
    ),
    ("my_optimizer.py", "*, beta=0.9", "*, gamma=0.9", "cannot be made"),
    ("my_optimizer.py", "average.lerp_(", "average.lepr_(", "failed at its first step"),
    ("my_sampler.py", "def tell(", "def hear(", "has no tell"),
    ("my_sampler.py", "return self._left[-1]", "return -1", "proposed -1"),
    ("my_sampler.py", "return self._left[-1]", "return 1 / 0", "ZeroDivisionError"),
    ("my_sampler.py", '{"exhaustive"}', '{"exhausting"}', "exhausting"),
    ("my_recipe.yaml", "epochs: 3", "epochs: three", "training.epochs"),
    ("my_recipe.yaml", "epochs: 3", "epoch: 3", "training.epoch: is not a key"),
    ("my_recipe.yaml", "epochs: 3", "epochs: [3", "my_recipe.yaml:3: is not YAML"),
    ("space.yaml", "my_sampler.py:Backwards", "my_sampler.py:Backward", "did you mean"),
    ("space.yaml", "my_sampler.py:Backwards", "your_sampler.py:Backwards", "no file"),
    ("space.yaml", "my_sampler.py:Backwards", "no.such.module:Sampler", "cannot be imported"),
    ("space.yaml", "my_recipe.yaml", "your_recipe.yaml", "is not a recipe"),
]


@pytest.mark.parametrize(
    ("file", "old", "new", "message"), CHANGES, ids=[f"{c[0]}-{c[3]}" for c in CHANGES]
)
def test_a_part_that_is_not_as_it_should_be_is_refused_before_anything_runs(
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    file: str,
    old: str,
    new: str,
    message: str,
) -> None:
    path = folder / file
    assert old in FILES[file]
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace(old, new), encoding="utf-8")
    said = refusal(capsys)
    assert message in said, said
    assert "Traceback" not in said
    assert (file.partition(".")[0] in said) or file == "space.yaml"


def test_a_part_that_changed_since_is_refused_and_nothing_is_lost(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["space.yaml", "--out", "run", "--inline", "--set", "search.trials=1"]) == 0
    before = (folder / "run/journal.jsonl").read_bytes()
    path = folder / "my_optimizer.py"
    path.write_text(path.read_text(encoding="utf-8") + "\n# another\n", encoding="utf-8")
    for name, module in list(sys.modules.items()):  # as in a process of its own
        if str(getattr(module, "__file__", None)).startswith(str(folder)):
            monkeypatch.delitem(sys.modules, name)
    assert main(["space.yaml", "--out", "run", "--inline"]) == 2
    printed = capsys.readouterr().err
    assert "training.optimizer: my_optimizer.py:signs has changed since" in printed
    assert str(path) in printed
    assert (folder / "run/journal.jsonl").read_bytes() == before


def test_a_part_that_fails_later_ends_the_command_with_2_and_loses_nothing(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = folder / "my_sampler.py"
    text = path.read_text(encoding="utf-8")
    broken = text.replace("        pass", "        assert candidate > 9, 'no more'")
    path.write_text(broken, encoding="utf-8")
    assert main(["space.yaml", "--out", "run", "--inline"]) == 2
    said = capsys.readouterr().err
    assert "my_sampler.py:Backwards: failed in tell (AssertionError: no more)" in said
    assert "Traceback" not in said
    assert results(folder / "run"), "what had finished is kept"


def test_a_sampler_that_proposes_a_network_again_ends_the_command_with_2(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = folder / "my_sampler.py"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("self._left.remove(candidate)", "pass"), encoding="utf-8")
    assert main(["space.yaml", "--out", "run", "--inline"]) == 2
    said = capsys.readouterr().err
    assert "my_sampler.py:Backwards: proposed candidate 11 again" in said
    assert not (folder / "run").exists(), "seen before anything is written"
