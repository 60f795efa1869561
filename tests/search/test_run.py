"""The command: what it prints, what it leaves behind, how it stops and goes on."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from search.api import run_study
from search.run import main
from search.run_command import _became
from search.schema.yaml import ConfigError
from search.study import manifest
from search.study.events import Ended, Epoch, Started, Status
from search.study.journal import FILE, Journal, read
from search.study.study import Study
from tests.search.spaces import DIGITS, PAPER, TINY, resolved_of, write
from tests.search.study.test_study import end_of

ROOT = Path(__file__).parents[2]
LONGER = TINY.replace("epochs: 3", "epochs: 12").replace("trials: 3", "trials: 4")


def spawn(*arguments: object, **environment: str) -> subprocess.Popen[str]:
    """The command as a person starts it, in a process group of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "search.run", *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def run(*arguments: object) -> tuple[int, str]:
    process = spawn(*arguments)
    printed, _ = process.communicate(timeout=300)
    return process.returncode, printed


def wait_for(condition: Callable[[], bool], *, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 120
    while not condition():
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline
        time.sleep(0.1)  # reading a journal takes CPU from what is waited for


def ends_in(folder: Path) -> list[Ended]:
    return [record for record in read(folder) if isinstance(record, Ended)]


def check_whole(folder: Path, *, trials: int) -> None:
    """Each trial once, in order, with every epoch once and one end."""
    records = read(folder)
    starts = [record for record in records if isinstance(record, Started)]
    assert [started.trial for started in starts] == list(range(trials))
    assert len({started.name for started in starts}) == trials
    ends = Counter(record.trial for record in records if isinstance(record, Ended))
    assert ends == Counter(range(trials))
    for started in starts:
        epochs = [r.epoch for r in records if isinstance(r, Epoch) and r.trial == started.trial]
        assert epochs == list(range(1, started.epochs + 1))


def test_a_plan_is_quick_and_imports_neither_torch_nor_ray() -> None:
    code = (
        "import sys; from search.run import main; code = main(sys.argv[1:]);"
        "print(sorted({'torch', 'ray'} & set(sys.modules))); sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "spaces/cifar_budget.yaml", "--plan"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "[]"
    assert "10,980 candidates, 325 inside the budget" in done.stdout
    assert "5,019 rejected: macs above 4,000,000,000" in done.stdout
    assert "100 trials (tpe, seed 0) of 60 epochs over 45,000 images" in done.stdout
    assert "the best 3, 5 seeds each, 300 epochs: 15 trials" in done.stdout


ONE_TRIAL = (
    DIGITS.replace("[11, 20]", "11").replace("[1, 2]", "2").replace("epochs: 2", "epochs: 1")
).replace(", seeds: 2", "")


def test_a_process_that_trains_imports_no_more_than_it_needs(tmp_path: Path) -> None:
    """Each of these takes a second or two, in every process of a study."""
    code = (
        "import sys; from search import api; api.draw_summary = lambda *_, **__: 0;"
        "result = api.run_study(sys.argv[1], out=sys.argv[2], inline=True);"
        "print(result.finished, {'torch._dynamo', 'sympy', 'sklearn', 'scipy', 'pandas', 'ray'}"
        " & set(sys.modules))"
    )
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            code,
            write(tmp_path, ONE_TRIAL),
            tmp_path / "run",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "True set()"


def test_the_process_that_starts_workers_on_ray_needs_no_torch() -> None:
    code = "import sys, search.executors.ray; print({'torch', 'matplotlib'} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "set()\n"


def test_a_plan_shows_what_fill_solves(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path, PAPER.replace("{from: 4, to: 64}", "fill"))
    assert main([str(path), "--plan"]) == 0
    printed = capsys.readouterr().out
    assert "180 candidates, 176 inside" in printed
    assert re.search(r"width +solved for the budget, \d+ to \d+", printed)


def results_in(folder: Path) -> dict[int, dict[str, float]]:
    return {end.trial: end.metrics for end in ends_in(folder)}


@pytest.mark.slow  # tests/faults/test_signals.py has one that is asked three times
def test_ctrl_c_inline(tmp_path: Path) -> None:
    path, out = write(tmp_path, LONGER), tmp_path / "run"
    process = spawn(path, "--out", out, "--inline")
    wait_for(lambda: len(ends_in(out)) >= 1, process=process)
    os.killpg(process.pid, signal.SIGINT)
    printed, _ = process.communicate(timeout=60)
    assert process.returncode == 130, printed
    assert "resume with: python -m search.run" in printed
    assert "Traceback" not in printed
    assert main([str(path), "--out", str(out), "--inline"]) == 0
    check_whole(out, trials=4)


@pytest.mark.slow  # test_splits.py reads them, and test_benchmarks.py trains on as many
def test_real_images_from_the_space_that_ships(tmp_path: Path, real_images: Path) -> None:
    """A little of spaces/cifar_smoke.yaml: real CIFAR-100, a real network, in the budget."""
    small = [
        f"data.root={real_images}",
        "data.train=640",
        "data.validation=500",
        "training.epochs=1",
        "search.trials=1",
        "network.planes=4",  # 10,000 test images take most of the time
        "budget.macs={min: 0.9M, max: 1.1M}",
        "training.precision=fp32",  # there are CPUs on which bf16 takes minutes here
    ]
    overrides = [word for text in small for word in ("--set", text)]
    out = ["--out", str(tmp_path), "--inline"]
    assert main(["spaces/cifar_smoke.yaml", *out, *overrides]) == 0
    (started,) = [record for record in read(tmp_path) if isinstance(record, Started)]
    (ended,) = ends_in(tmp_path)
    assert 900_000 <= started.macs <= 1_100_000
    assert ended.status is Status.OK
    assert 0 <= ended.metrics["test_error"] <= 100


def test_a_finished_run_gets_the_manifest_back_that_was_deleted_as_advised(
    finished: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = manifest.read(finished.parent / "run")
    assert whole is not None
    (finished.parent / "run" / manifest.FILE).unlink()
    command = [str(finished), "--inline", "--out", str(finished.parent / "run")]
    assert main(command) == 0
    assert "nothing to run" in capsys.readouterr().out
    again = manifest.read(finished.parent / "run")
    assert again is not None
    assert again.plan == whole.plan


def test_a_plan_says_that_the_folder_holds_another_study(
    finished: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = [str(finished), "--out", str(finished.parent / "run"), "--plan"]
    assert main(command) == 0
    assert "is refused" not in capsys.readouterr().out
    assert main([*command, "--set", "training.lr=0.3"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "note: without --plan this would be refused: " in shown
    assert "contains a different study" in shown


def test_a_trial_that_diverges_does_not_end_the_study(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path, TINY.replace("lr: 0.1", "lr: 1e30"))
    assert main([str(path), "--out", str(tmp_path / "run"), "--inline"]) == 3
    assert [end.status for end in ends_in(tmp_path / "run")] == [Status.DIVERGED] * 3
    assert "trial 2 diverged: the training loss of epoch 1" in capsys.readouterr().out


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the tiny space and its run, which has ended."""
    folder = tmp_path_factory.mktemp("ended")
    with pytest.MonkeyPatch.context() as patch:  # as for each test
        patch.setattr("search.closing.draw_summary", lambda *_, **__: 0)
        assert main([str(write(folder)), "--out", str(folder / "run"), "--inline"]) == 0
    return folder


@pytest.fixture
def finished(tmp_path: Path, ended: Path) -> Path:
    """The tiny space, with its finished run beside it: a copy, to do with as one likes."""
    shutil.copytree(ended, tmp_path, dirs_exist_ok=True)
    return tmp_path / "space.yaml"


def test_more_trials_go_on_and_the_first_command_still_does(
    tmp_path: Path, finished: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, out = str(finished), ["--out", str(tmp_path / "run"), "--inline"]
    assert main([path, *out, "--set", "search.trials=4"]) == 0
    check_whole(tmp_path / "run", trials=4)
    capsys.readouterr()
    assert main([path, *out]) == 0
    assert "nothing to run: all 4 trials of tiny have ended" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (0, "stopped: 0 trials have ended, 3 are kept as far as they got; resume with: x"),
        (1, "stopped: 1 trial has ended, 2 are kept as far as they got; resume with: x"),
        (2, "stopped: 2 trials have ended, 1 is kept as far as it got; resume with: x"),
    ],
)
def test_a_stop_says_how_many_trials_have_ended(finished: Path, count: int, said: str) -> None:
    result = run_study(finished, out=finished.parent / "run", inline=True)
    begun = tuple(replace(one, ended=None) for one in result.trials[count:])
    stopped = replace(result, trials=(*result.trials[:count], *begun), finished=False)
    assert _became(stopped, None, ["x"]) == said


def test_another_study_in_the_folder_is_refused_with_the_difference(
    tmp_path: Path, finished: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, out = str(finished), ["--out", str(tmp_path / "run"), "--inline"]
    before = (tmp_path / "run" / FILE).read_bytes()
    assert main([path, *out, "--set", "training.lr=0.2", "--set", "network.planes=4"]) == 2
    said = capsys.readouterr().err
    assert "contains a different study" in said
    assert "training.lr: there 0.1, here 0.2" in said
    assert "network.planes: there [2], here [4]" in said
    assert (tmp_path / "run" / FILE).read_bytes() == before


@pytest.mark.slow
def test_resources_may_change(tmp_path: Path, finished: Path) -> None:
    path, out = str(finished), ["--out", str(tmp_path / "run"), "--inline"]
    more = ["--set", "resources.cpu=2", "--set", "search.trials=4"]
    assert main([path, *out, *more]) == 0
    starts = json.loads((tmp_path / "run/manifest.json").read_text())["starts"]
    assert len(starts) == 2
    assert starts[1]["command"][-1] == "search.trials=4"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("{max: 300K, min: 20K}", "{max: 10}", r"space.yaml:9: budget: none of 36 candidates "
         r"fits; nearest above: resnet11_1w_2p_4classes with [\d,]+ MACs, .*; widen"),
        ("trials: 3", "trials: 100", r":13: search.trials: 100 is more than the \d+ distinct"),
        ("cpu: 1", "cpu: 5000",
         r":14: resources.cpu: a trial asks for 5,?000, but this machine"),
        ("name: synthetic", "root: /nowhere, name: cifar10",
         r":11: cifar10 is not there: looked in /nowhere/cifar-10-batches-py"),
        ("planes:", "plains:", r":4: network.plains: is not a key; did you mean 'planes'"),
    ],
    ids=["budget", "trials", "cpu", "data", "key"],
)  # fmt: skip
def test_bad_input_ends_with_2_and_one_message(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, message: str
) -> None:
    text = TINY.replace("300K", "3M") if "cifar10" in new else TINY
    path = write(tmp_path, text.replace(old, new, 1))
    assert main([str(path), "--out", str(tmp_path / "run")]) == 2
    said = capsys.readouterr()
    assert re.search(message, said.err), said.err
    assert not (tmp_path / "run").exists(), "what cannot run leaves nothing behind"


def test_both_sides_of_an_empty_budget_are_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path, TINY.replace("{max: 300K, min: 20K}", "{max: 100001, min: 100K}"))
    assert main([str(path), "--plan"]) == 2
    said = capsys.readouterr().err
    assert "nearest below: " in said
    assert "nearest above: " in said


@pytest.mark.parametrize(
    ("out", "why"),
    [("file", "file: is a file, but a run needs a folder"),
     ("file/below", "file: is a file, but a run needs a folder"),
     ("link", "link: is a link to gone, which is not there"),
     ("/proc/nowhere", "cannot be the folder of a run")],
)  # fmt: skip
def test_a_folder_that_cannot_be_one_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], out: str, why: str
) -> None:
    (tmp_path / "file").write_text("not a folder")
    (tmp_path / "link").symlink_to("gone")
    assert main([str(write(tmp_path)), "--out", str(tmp_path / out)]) == 2
    assert why in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--out", "--reuse"])
def test_an_empty_path_is_no_path(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], option: str
) -> None:
    """As of a shell variable without a value: it would mean the current folder."""
    space = str(write(tmp_path))
    with pytest.raises(SystemExit) as ended:
        main([space, option, ""])
    assert ended.value.code == 2
    assert f"{option}: is empty; give a path" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "message"),
    [({"out": ""}, "out: is empty"), ({"reuse": ["runs/a", ""]}, "reuse: is empty"),
     ({"time_limit": 60}, "time_limit: 60 is not a text; write, for example, '25m'"),
     ({"inline": True, "address": "auto"}, "address: trials cannot run there and inline")],
)  # fmt: skip
def test_what_no_option_can_say_is_refused_from_python_too(
    tmp_path: Path, options: Any, message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        run_study(write(tmp_path), **options)


def test_brackets_are_printed_as_they_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command that goes on must be the command, also with lists in --set."""
    path, out = write(tmp_path, TINY.replace("epochs: 3", "epochs: 10000")), tmp_path / "run"
    override = "network.scale=[1,2,3]"
    limited = ["--inline", "--time-limit", "0.5s", "--set", override]
    assert main([str(path), "--out", str(out), *limited]) == 4
    assert f"--set '{override}'" in capsys.readouterr().out
    assert list(out.glob("checkpoints/*.pt")), "the epoch was finished and saved"


def test_from_cpu_to_gpu_is_another_study(
    tmp_path: Path, finished: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, out = str(finished), ["--out", str(tmp_path / "run"), "--inline"]
    assert main([path, *out, "--set", "resources.gpu=1"]) == 2
    assert "device: there 'CPU', here 'GPU'" in capsys.readouterr().err


def test_a_damaged_manifest_is_named(
    tmp_path: Path, finished: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, out = str(finished), ["--out", str(tmp_path / "run"), "--inline"]
    (tmp_path / "run/manifest.json").write_text("{")
    assert main([path, *out]) == 2
    assert "manifest.json: is damaged" in capsys.readouterr().err


def test_a_folder_in_use_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, out = write(tmp_path, LONGER), tmp_path / "run"
    process = spawn(path, "--out", out, "--inline")
    wait_for(lambda: (out / ".lock").exists() and (out / FILE).exists(), process=process)
    code = main([str(path), "--out", str(out), "--inline"])
    process.kill()
    process.communicate()
    assert code == 2
    assert f"is in use by process {process.pid}" in capsys.readouterr().err


def test_a_retry_that_is_refused_leaves_the_record_as_it_was(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, (plan, surveyed) = tmp_path / "run", resolved_of(tmp_path, TINY, "search.trials=1")
    with Journal(out) as journal:
        study = Study(plan, surveyed, journal)
        manifest.note(out, plan, space=TINY, command=["python"])
        study.end(end_of(study.next(), Status.FAILED))
    record = (out / FILE).read_bytes()
    command = [str(write(tmp_path)), "--out", str(out), "--set", "search.trials=1"]
    assert main([*command, "--retry", "failed", "--address", "127.0.0.1:1"]) == 2
    assert "--address 127.0.0.1:1: " in capsys.readouterr().err
    assert (out / FILE).read_bytes() == record
    assert main([*command, "--retry", "failed", "--inline"]) == 0
    assert "--retry: 1 of its trials ended this way" in capsys.readouterr().out
