"""On Ray: what a command leaves behind, how it goes on, whose Ray it is, and bare Tune."""

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import ray
from ray import tune

from res2net import cost, parse
from search.executors.connection import connected
from search.executors.slots import Slots
from search.run import main
from search.samplers import ray_searcher
from search.schema.yaml import ConfigError
from search.study.events import Epoch, Lost
from search.study.journal import FILE, read
from tests.search.spaces import PAPER, TINY, plan_of, write
from tests.search.test_run import (
    LONGER,
    check_whole,
    ends_in,
    results_in,
    run,
    spawn,
    wait_for,
)

pytestmark = pytest.mark.ray


# Long enough to be stopped in the middle; with few images, so that an epoch is short.
LASTING = TINY.replace("epochs: 3", "epochs: 40").replace(
    "validation: 64", "validation: 64, train: 64"
)
MORE = ["--set", "search.trials=6"]


@pytest.mark.drawn
def test_a_killed_worker_and_a_signal_change_no_result(
    tmp_path: Path, ray_address: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """One study through all of it, because each start of Ray takes seconds."""
    path, out = write(tmp_path, LASTING), tmp_path / "run"
    process = spawn(path, "--out", out, "--address", ray_address)
    wait_for(lambda: any(isinstance(r, Epoch) for r in read(out)), process=process)
    os.kill(worker_of(os.getpid()), signal.SIGKILL)
    printed, _ = process.communicate(timeout=200)
    assert process.returncode == 0, printed
    (lost,) = [record for record in read(out) if isinstance(record, Lost)]
    assert re.match(r"its worker on node [\d.]+ is gone: ", lost.reason)
    assert f"trial {lost.trial} was lost and resumes later: its worker on node" in printed
    check_whole(out, trials=3)
    check_left_behind(out, printed)
    before = (out / FILE).read_bytes()
    assert main([str(path), "--out", str(out), "--address", ray_address]) == 0
    assert "nothing to run: all 3 trials of tiny have ended" in capsys.readouterr().out
    assert (out / FILE).read_bytes() == before

    # On a Ray of its own, with a home that cannot be written, where Ray would keep a token.
    process = spawn(path, "--out", out, *MORE, HOME="/proc/nowhere")
    wait_for(lambda: len(ends_in(out)) > 3 and under_way(out), process=process)
    check_ended_by(process, signal.SIGTERM, f"{path} --out {out}")
    assert under_way(out) <= saved(out)
    finished = {end.trial: end for end in ends_in(out)}
    assert 3 < len(finished) < 6
    assert main([str(path), "--out", str(out), "--inline", *MORE]) == 0, "another executor"
    check_whole(out, trials=6)
    assert finished.items() <= {end.trial: end for end in ends_in(out)}.items()
    assert main([str(path), "--out", str(tmp_path / "inline"), "--inline", *MORE]) == 0
    assert results_in(tmp_path / "inline") == results_in(out), "whoever runs the trials"


def under_way(out: Path) -> set[int]:
    """The trials that have finished an epoch and have not ended."""
    trained = {record.trial for record in read(out) if isinstance(record, Epoch)}
    return trained - {end.trial for end in ends_in(out)}


def saved(out: Path) -> set[int]:
    """The trials that have a checkpoint."""
    return {int(path.stem) for path in out.glob("checkpoints/*.pt")}


def check_ended_by(process: subprocess.Popen[str], number: signal.Signals, rest: str) -> None:
    """A signal to the whole process group, as of `timeout` or a terminal, ends it in order."""
    os.killpg(process.pid, number)
    printed, _ = process.communicate(timeout=120)
    assert process.returncode == 130, printed
    assert f"resume with: python -m search.run {rest}" in printed
    assert "Traceback" not in printed
    assert "Ray has died" not in printed
    assert "SIGTERM received" not in printed


def check_left_behind(out: Path, printed: str) -> None:
    """The table of the best, and exactly the files that the documentation names."""
    assert "best 3 of 3 fully trained networks" in printed
    (weights,) = out.glob("networks/*.safetensors")
    assert f"weights={str(weights)!r})" in printed, "the line that loads the best network"
    kept = {f"networks/{weights.stem}{suffix}" for suffix in (".safetensors", ".json")}
    files = {p.relative_to(out).as_posix() for p in out.rglob("*") if p.is_file()}
    assert files == {
        ".lock", "journal.jsonl", "manifest.json", "space.yaml", "trials.csv", "epochs.csv",
        "figures/pareto.png", "figures/pareto.svg",
    } | kept  # fmt: skip


@pytest.fixture
def joined(ray_address: str) -> Iterator[None]:
    """This process has joined a cluster, as a program may before it calls ours."""
    ray.init(address=ray_address, log_to_driver=False)
    yield
    ray.shutdown()


@pytest.mark.usefixtures("joined")
def test_somebody_s_ray_is_left_as_it_is(tmp_path: Path) -> None:
    assert Slots(plan_of(tmp_path)).checked() == 2
    dear = plan_of(tmp_path, TINY, "resources.cpu=3")
    with pytest.raises(ConfigError, match=r"no machine of the cluster has more than 2"):
        Slots(dear).checked()
    with pytest.raises(ConfigError, match=r"call ray\.shutdown\(\) first"), connected(None):
        pass
    assert ray.is_initialized()


def trial(config: dict[str, Any]) -> None:
    """What somebody trains: the fewer layers, the better."""
    tune.report({"error": float(parse(config["name"]).layers)})


@pytest.mark.usefixtures("joined")
def test_a_bare_tuner_of_ray_runs_over_our_sampler(tmp_path: Path) -> None:
    searcher = ray_searcher(write(tmp_path, PAPER), "tpe", metric="error")
    results = tune.Tuner(
        trial,
        tune_config=tune.TuneConfig(
            search_alg=searcher, num_samples=3, max_concurrent_trials=2, reuse_actors=True
        ),
        run_config=tune.RunConfig(storage_path=str(tmp_path), name="bare", verbose=0),
    ).fit()
    names = {result.config["name"] for result in results if result.config}
    assert len(names) == 3
    for name in names:
        assert 3.6e9 <= cost(parse(name), image_size=32).macs <= 4.0e9
    assert results.get_best_result("error", "min").metrics is not None


@pytest.mark.slow  # tests/search/tasks/test_killed.py kills one without Ray
def test_killed_in_the_middle_the_same_command_goes_on(
    tmp_path: Path, ray_address: str
) -> None:
    path, out = write(tmp_path, LONGER), tmp_path / "run"
    process = spawn(path, "--out", out, "--address", ray_address)
    wait_for(lambda: len(ends_in(out)) >= 2, process=process)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    before = (out / FILE).read_bytes()
    finished = {end.trial: end for end in ends_in(out)}
    code, printed = run(path, "--out", out, "--address", ray_address)
    assert code == 0, printed
    assert (out / FILE).read_bytes().startswith(before[: before.rfind(b"\n") + 1])
    check_whole(out, trials=4)
    after = {end.trial: end for end in ends_in(out)}
    assert {trial: after[trial] for trial in finished} == finished
    assert not list(out.glob("checkpoints/*"))


@pytest.mark.slow  # as SIGTERM above
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP], ids=lambda one: one.name)
def test_so_does_another_signal_on_a_cluster_or_not(
    tmp_path: Path, ray_address: str, number: signal.Signals
) -> None:
    path, out = write(tmp_path, LONGER), tmp_path / "run"
    where = ["--address", ray_address] if number is signal.SIGINT else []
    process = spawn(path, "--out", out, *where)
    wait_for(lambda: len(ends_in(out)) >= 1, process=process)
    check_ended_by(process, number, f"{path} --out {out}")
    assert under_way(out) <= saved(out)


def worker_of(driver: int) -> int:
    """A process below a driver that runs a trial: Ray titles them after their actor."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            title = (folder / "cmdline").read_bytes()
        except OSError:
            continue
        # ray::TrialActor between two calls, ray::ResourceTrainable.train in one
        runs_trials = title.startswith((b"ray::TrialActor", b"ray::ResourceTrainable"))
        if runs_trials and driver in ancestors(folder):
            return int(folder.name)
    raise AssertionError("no worker found")


def ancestors(folder: Path) -> set[int]:
    found: set[int] = set()
    while folder.name != "0" and folder.exists():
        parent = (folder / "stat").read_text().rpartition(")")[2].split()[1]
        found.add(int(parent))
        folder = folder.parent / parent
    return found
