"""A study says what another CPU makes of it: slow arithmetic, other digits, other times."""

import shutil
from pathlib import Path

import pytest

from search.run import main
from search.study import processor
from tests.search.spaces import write

OLD = {"model name": "Old", "flags": "avx avx2"}
NEW = {"model name": "New", "flags": "avx avx2 avx512f avx512bw avx512_bf16"}


def run(folder: Path, cpu: dict[str, str], *options: str) -> int:
    """Run a study of one trial, or go on with it, on such a CPU."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(processor, "_told", lambda: cpu)
        space = write(folder)
        return main([str(space), "--out", str(folder / "run"), "--inline", *options])


@pytest.mark.parametrize(
    ("cpu", "precision", "said"),
    [(OLD, "bf16", True), (OLD, "fp32", False), (NEW, "bf16", False), ({}, "bf16", False)],
)
def test_bf16_on_a_cpu_without_it_is_said_before_anything_runs(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    cpu: dict[str, str],
    precision: str,
    said: bool,
) -> None:
    recipe = ["--set", f"training.precision={precision}", "--set", "training.epochs=1"]
    for more in (["--plan"], ["--set", "search.trials=1"]):
        assert run(tmp_path, cpu, *recipe, *more) == 0
        shown = " ".join(capsys.readouterr().out.split())
        note = "this CPU (Old, AVX2) has no instructions for it, so that a step takes several"
        assert (note in shown) is said
        assert ("write precision: fp32, or auto, which measures (--set" in shown) is said


def test_a_study_that_goes_on_elsewhere_says_what_that_means(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = ["--set", "training.precision=bf16", "--set", "training.epochs=1"]
    assert run(tmp_path, NEW, *recipe, "--set", "search.trials=1") == 0
    shutil.copytree(tmp_path / "run", tmp_path / "before")
    capsys.readouterr()
    assert run(tmp_path, NEW, *recipe, "--set", "search.trials=2") == 0
    assert "another kind of CPU" not in capsys.readouterr().out
    assert run(tmp_path, OLD, *recipe, "--set", "search.trials=3") == 0
    shown = capsys.readouterr().out
    assert "the study keeps the format it began with: resume it where" in shown
    assert "another kind of CPU so far (New, AVX512-BF16; here Old, AVX2)" in shown
    assert "the study keeps the format it began with" in shown
    shutil.rmtree(tmp_path / "run")
    shutil.copytree(tmp_path / "before", tmp_path / "run")
    assert run(tmp_path, NEW | {"model": "2"}, *recipe, "--set", "search.trials=2") == 0
    assert "another kind of CPU so far (New, able to" in capsys.readouterr().out
