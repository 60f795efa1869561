"""Tasks, schedulers and objectives from outside that are not as they should be."""

from pathlib import Path

import pytest

from search import run_study
from search.run import main
from search.study.events import Status
from search.study.journal import JournalError
from tests.docs.examples import examples, write_examples
from tests.search.spaces import TINY, write

SCHEDULER = '''
from search.schedulers.base import Decision


class Mine:
    """Lets everything go on, but for what a test changes."""

    traits = {"stops", "pauses"}

    def __init__(self, *, epochs, trials, objectives):
        self.seen = 0

    def report(self, trial, epoch, metrics):
        self.seen += 1
        return Decision.CONTINUE

    def ended(self, trial):
        pass

    def resume(self):
        return None

    def resumed(self, trial):
        pass
'''
OBJECTIVE = """
def thrift(architecture, cost):
    return cost.params / 1000
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "my_scheduler.py").write_text(SCHEDULER.lstrip(), encoding="utf-8")
    (tmp_path / "my_objective.py").write_text(OBJECTIVE.lstrip(), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refused(
    capsys: pytest.CaptureFixture[str], space: Path, *overrides: str, begun: bool = False
) -> str:
    words = [word for text in overrides for word in ("--set", text)]
    assert main([str(space), "--out", "run", "--inline", *words]) == 2
    said = capsys.readouterr().err
    assert "Traceback" not in said
    assert (Path("run") / "journal.jsonl").exists() == begun
    return said


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("        return Decision.CONTINUE", "        pass", "answered None in report"),
        ("return Decision.CONTINUE", "return True", "answered True in report"),
        ("return Decision.CONTINUE", "return 'go'", "answered 'go' in report"),
        ("return Decision.CONTINUE", "return 1 / 0", "failed in report (ZeroDivisionError"),
        ("return None", "return 'one'", "answered 'one' in resume"),
        ('traits = {"stops", "pauses"}', "traits = 3", "its traits are 3"),
        ("self.seen = 0", "raise OSError('no')", "cannot be made (OSError: no)"),
        ("def resumed(", "def woken(", "has no resumed"),
    ],
)
def test_a_scheduler_that_breaks_the_protocol_is_refused_at_once(
    folder: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, message: str
) -> None:
    change(folder / "my_scheduler.py", old, new)
    said = refused(capsys, write(folder), "scheduler='my_scheduler.py:Mine'")
    assert message in said, said


def test_a_scheduler_that_answers_in_words_is_understood(folder: Path) -> None:
    change(folder / "my_scheduler.py", "return Decision.CONTINUE", "return 'continue'")
    space = ["scheduler='my_scheduler.py:Mine'", "search.seeds=2"]
    result = run_study(write(folder), overrides=space, out="run", inline=True)
    assert result.finished
    assert len(result.trials) == 6


@pytest.mark.parametrize("decision", ["STOP", "PAUSE"])
def test_a_decision_without_its_trait_is_refused(
    folder: Path, capsys: pytest.CaptureFixture[str], decision: str
) -> None:
    """Not at its first answer, so that it is found while the study runs."""
    path = folder / "my_scheduler.py"
    change(path, 'traits = {"stops", "pauses"}', "traits = ()")
    later = f"return Decision.{decision} if self.seen > 3 else Decision.CONTINUE"
    change(path, "return Decision.CONTINUE", later)
    space = ["scheduler='my_scheduler.py:Mine'", "search.seeds=2"]
    said = refused(capsys, write(folder), *space, begun=True)
    assert f"answered {decision.lower()} without the trait" in said


@pytest.mark.parametrize(
    ("new", "message"),
    [
        ("1 / 0", "failed for"),
        ("float('nan')", "gave nan for"),
        ("'much'", "failed for"),
    ],
)
def test_an_objective_that_fails_for_some_network_is_refused(
    folder: Path, capsys: pytest.CaptureFixture[str], new: str, message: str
) -> None:
    path = folder / "my_objective.py"
    objectives = "search.objectives=[val_error, 'my_objective.py:thrift']"
    change(path, "return cost.params / 1000", f"return {new}")
    assert message in refused(capsys, write(folder), objectives)
    path.write_text(
        "seen = []\ndef thrift(architecture, cost):\n    seen.append(1)\n"
        f"    return {new} if len(seen) > 3 else 1.0\n",
        encoding="utf-8",
    )
    again = folder / "again"
    again.mkdir()
    text = TINY.replace("seed: 0", "seed: 0, objectives: [val_error, 'other.py:thrift']")
    (folder / "other.py").write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    said = refused(capsys, write(again, text), begun=True)
    assert message in said


TASKS = [
    ("return {", "return {'other': 1.0} if True else {", "its scores are other; return"),
    ("return {", "return None and {", "its scores are None; return"),
    ('"maximize"', '"max"', "write minimize or maximize"),
    ("metrics = (", "metrics = () and (", "has no metrics"),
    ("metrics = (", "metrics = None and (", "cannot be used"),
    ("def loss(", "def lose(", "has no loss"),
]


@pytest.mark.parametrize(("old", "new", "message"), TASKS, ids=[t[2] for t in TASKS])
def test_a_task_that_is_not_as_it_should_be_is_refused_before_anything_runs(
    folder: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, message: str
) -> None:
    example = next(e for e in examples() if "task" in e.file)
    write_examples(folder)
    path = folder / example.file
    change(path, old, new)
    with pytest.raises((ValueError, JournalError)) as caught:
        run_study(example.space, out=folder / "run", inline=True)
    assert message in str(caught.value)
    assert not (folder / "run").exists()


def test_scores_that_are_not_finite_are_a_divergence(folder: Path) -> None:
    example = next(e for e in examples() if "task" in e.file)
    write_examples(folder)
    path = folder / example.file
    scores = "{'balanced_accuracy': float('nan'), 'log_loss': 1.0}"
    change(path, "        return {", f"        return {scores}\n        return {{")
    result = run_study(example.space, out=folder / "run", inline=True)
    assert {t.ended.status for t in result.trials if t.ended} == {Status.DIVERGED}
