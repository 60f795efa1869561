"""The exit code of a command says what became of it: each code comes from a real run."""

import os
import resource
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.report import main as report
from analysis.verdict import main as verdict
from res2net.__main__ import main as res2net
from res2net.exit_codes import ExitCode
from search import run_study
from search.result import StudyResult, Trial
from search.run import main
from search.study.events import Ended, Started, Status
from search.train import main as train
from tests.search.conftest import _nothing_drawn  # noqa: F401 - drawing has no say here
from tests.search.spaces import TINY, plan_of, started_fields, write

ROOT = Path(__file__).parents[2]
LONG = TINY.replace("epochs: 3", "epochs: 4000")
ONE = TINY.replace("epochs: 3", "epochs: 1").replace("trials: 3", "trials: 1")
DIVERGES = ONE.replace("lr: 0.1", "lr: 1e30")


def command(folder: Path, text: str = ONE, *more: str) -> list[str]:
    return [str(write(folder, text)), "--inline", "--out", str(folder / "run"), *more]


def test_0_done_nothing_left_and_a_time_limit_that_came_after_the_last_trial(
    tmp_path: Path,
) -> None:
    assert main(command(tmp_path)) == 0
    assert main(command(tmp_path)) == 0, "nothing was left to do"
    assert main(command(tmp_path, ONE, "--time-limit", "0.001s")) == 0, "nor for a time limit"
    assert main(command(tmp_path, ONE, "--plan")) == 0


def test_1_a_file_cannot_be_written_and_what_failed_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with largest_file(2000):
        code = main(command(tmp_path))
    assert code == 1
    said = capsys.readouterr().err
    assert "File too large" in said
    assert "room" not in said, "the disk is not full"
    assert main(command(tmp_path)) == 0, "the same command goes on"


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """A system that lets no file grow beyond so many bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize(
    "arguments",
    [["none.yaml"], ["--no-such-option"], ["none.yaml", "--time-limit", "soon"]],
    ids=["file", "option", "value"],
)
def test_2_bad_input(arguments: list[str]) -> None:
    try:
        code = main(arguments)
    except SystemExit as ended:  # argparse's own way
        code = ended.code
    assert code == 2


def test_2_of_the_other_commands(tmp_path: Path) -> None:
    assert res2net(["NoNet-50"]) == 2
    assert report([str(tmp_path)]) == 2
    assert train(["NoNet-50", "--data", "synthetic", "--epochs", "1"]) == 2
    assert res2net(["Res2Net-50"]) == 0


def test_3_no_trial_of_this_start_is_ok_and_why(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(command(tmp_path, DIVERGES)) == 3
    said = capsys.readouterr().err
    assert "no trial of this start is ok: 1 ended" in said
    assert "trial 0 diverged: the training loss of epoch 1" in said
    assert main(command(tmp_path, DIVERGES)) == 0, "nothing was left to do"
    assert main(command(tmp_path, DIVERGES, "--set", "search.trials=2")) == 3
    assert "trial 1 diverged" in capsys.readouterr().err


def test_3_of_one_network_and_of_python(tmp_path: Path) -> None:
    options = ["--data", "synthetic", "--epochs", "1", "--set", "training.lr=1e30"]
    where = ["--inline", "--out", str(tmp_path / "run")]
    assert train(["resnet11_2w_2p_4classes", *options, *where]) == 3
    result = run_study(write(tmp_path, DIVERGES), out=tmp_path / "python", inline=True)
    assert result.finished
    assert result.exit_code is ExitCode.NO_TRIAL_OK
    assert [trial.started.trial for trial in result.ended] == [0]


def test_4_the_time_limit_came_with_work_left(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(command(tmp_path, LONG, "--time-limit", "1s")) == 4
    assert "resume with: python -m search.run" in capsys.readouterr().out
    result = run_study(
        write(tmp_path, LONG), out=tmp_path / "python", inline=True, time_limit="0.5s"
    )
    assert result.out_of_time
    assert result.exit_code is ExitCode.OUT_OF_TIME


def test_4_also_where_every_trial_so_far_failed(tmp_path: Path) -> None:
    """A queue that starts it again must not take this for the end."""
    text = DIVERGES.replace("trials: 1", "trials: 30")
    limit = ["--time-limit", "0.4s"]
    assert main(command(tmp_path, text, *limit)) == 4


def test_130_stopped(tmp_path: Path) -> None:
    timer = threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    code = main(command(tmp_path, LONG))
    timer.join()
    assert code == 130


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> StudyResult:
    folder = tmp_path_factory.mktemp("result")
    return StudyResult(
        plan=plan_of(folder), folder=folder, trials=(), ended=(), best=None, weights=(),
        finished=True, out_of_time=False,
    )  # fmt: skip


@given(statuses=st.lists(st.sampled_from(list(Status)), max_size=4))
def test_which_statuses_are_no_success(result: StudyResult, statuses: list[Status]) -> None:
    """Pruned is no failure, wherever the trial belongs."""
    trials = tuple(
        Trial(Started(**started_fields(trial=n)), Ended(trial=n, status=status))
        for n, status in enumerate(statuses)
    )
    fine = not statuses or {Status.OK, Status.PRUNED} & {*statuses}
    ended = StudyResult(**{**vars(result), "trials": trials, "ended": trials})
    assert ended.exit_code == (0 if fine else 3)
    late = StudyResult(**{**vars(ended), "finished": False, "out_of_time": True})
    assert late.exit_code == 4
    assert StudyResult(**{**vars(late), "out_of_time": False}).exit_code == 130


@pytest.mark.parametrize(
    "shown", [main, train, res2net, report, verdict], ids=lambda m: m.__module__
)
def test_help_and_readme_hold_the_table(
    shown: object, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        shown(["--help"])  # type: ignore[operator]
    assert ended.value.code == 0
    helped = capsys.readouterr().out
    codes = ExitCode if shown in (main, train) else [0, 1, 2, 130]
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for code in map(ExitCode, codes):
        assert f"  {code:<4} {code.meaning}" in helped
        assert f"| {code:d} | {code.meaning} |" in readme
