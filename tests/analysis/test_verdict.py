"""The command: what it prints, its exit codes, and that the test images stay sealed."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from analysis.runs.run import read_run
from analysis.verdict import UNSEALED, main, verdict
from tests.analysis.questions.test_verdict import A, B, around, run_of

ROOT = Path(__file__).parents[2]
KEYS = [
    "verdict", "reason", "difference", "low", "high", "seeds", "more_seeds", "margin", "metric",
    "networks", "level", "test",
]  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return run_of(tmp_path, {1: around(20.0), 2: around(25.0, sign=-1)}).folder


def test_it_answers_in_words(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(folder), A, B]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith(f"better: {A} against {B}, by validation accuracy\n")
    assert "test" not in printed
    assert not (folder / UNSEALED).exists()


def test_any_answer_is_a_success_and_json_has_the_same_keys(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    refused = run_of(tmp_path / "few", {1: [20.0], 2: [21.0]}).folder
    undecided = run_of(tmp_path / "un", {1: [20.0, 21.0], 2: [21.0, 20.0]}).folder
    expected = {folder: "better", refused: "refused", undecided: "not enough"}
    for run, answer in expected.items():
        assert main([str(run), A, B, "--json", "--margin", "0.5"]) == 0
        told = json.loads(capsys.readouterr().out)
        assert list(told) == KEYS
        assert (told["verdict"], told["margin"], told["test"]) == (answer, 0.5, None)
        assert told["networks"] == [A, B]


def test_what_is_no_run_or_no_network_is_bad_input(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(folder), A, "nonsense"]) == 2
    assert f"has no network nonsense; did you mean {B}" in capsys.readouterr().err
    assert main([str(tmp_path / "nowhere"), A, B]) == 2
    assert "contains no journal.jsonl; give a run such as runs" in capsys.readouterr().err
    for margin in ("-1", "much"):
        with pytest.raises(SystemExit) as left:
            main([str(folder), A, B, f"--margin={margin}"])
        assert left.value.code == 2
        assert f"{margin} is not a number above 0; give one such as" in capsys.readouterr().err


def test_from_python_a_run_or_its_folder_will_do(folder: Path) -> None:
    assert (
        verdict(folder, A, B) == verdict(str(folder), A, B) == verdict(read_run(folder), A, B)
    )


def test_the_package_itself_stays_light() -> None:
    code = (
        "import sys, analysis; light = 'pandas' not in sys.modules;"
        "from analysis import verdict; print(light, callable(verdict.verdict))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert ran.stdout.split() == ["True", "True"]


def test_opening_the_test_images_is_written_down_and_told_the_next_time(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(folder), A, B, "--unseal-test"]) == 0
    first = capsys.readouterr().out
    assert "on the test images the difference is -5.00" in first  # the other way there
    assert "opened before" not in first
    noted = json.loads((folder / UNSEALED).read_text(encoding="utf-8"))
    assert [each["networks"] for each in noted] == [[A, B]]
    assert main([str(folder), B, A, "--unseal-test"]) == 0
    again = capsys.readouterr().out
    assert f"opened before: {noted[0]['time']}, for {A} and {B}" in again
    assert main([str(folder), A, B, "--unseal-test", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["test"]
    assert [each["networks"] for each in told["unsealed_before"]] == [[A, B], [B, A]]
    assert told["low"] < told["difference"] < told["high"]


def test_a_record_of_openings_that_is_damaged_is_refused(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for content in ("{", "[1]", "[{}]"):
        (folder / UNSEALED).write_text(content, encoding="utf-8")
        assert main([str(folder), A, B, "--unseal-test"]) == 2
        said = capsys.readouterr()
        assert "is damaged, but it says whether the test images were opened" in said.err
        assert not said.out


@pytest.mark.filterwarnings("error")
def test_one_shared_seed_has_a_difference_on_the_test_images_and_no_interval(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = run_of(tmp_path, {1: [20.0], 2: [21.0]})
    assert main([str(run.folder), A, B, "--unseal-test"]) == 0
    assert capsys.readouterr().out.endswith("on the test images the difference is -1.00\n")


def test_without_shared_test_scores_the_opening_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = run_of(tmp_path, {1: [20.0], 2: []})
    assert main([str(run.folder), A, B, "--unseal-test"]) == 2, "no trial of it has started"
    assert "has no network" in capsys.readouterr().err
    run = run_of(tmp_path / "one", {1: [20.0, None], 2: [None, 21.0]})
    assert main([str(run.folder), A, B, "--unseal-test"]) == 0
    assert "test images: no shared seeds with a score" in capsys.readouterr().out
