"""`python -m search.dashboard`: real processes, a real study under way, a real browser."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from typing import Any

import pytest

from search.dashboard import main
from search.study.events import Retried, Status
from search.study.journal import FILE, Journal
from tests.analysis.browser import browsing
from tests.analysis.made import made, network
from tests.analysis.studied import write_run

pytest.importorskip("optuna_dashboard")
DIGITS = """\
study: watched
network: {planes: 4, depth: 11, scale: [1, 2, 3, 4], width: [1, 2]}
data: {name: digits, validation: 240, train: 500}
training: {epochs: 3, batch_size: 64, lr: 0.1}
search: {sampler: random, trials: 8}
"""


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address of the pages of a run; Ctrl-C ends them."""
    process = subprocess.Popen(
        [sys.executable, "-m", "search.dashboard", str(folder), "--port", "0"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:\d+", line)
        assert found, line + process.communicate(timeout=100)[1]
        yield found[0]
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=100)
        assert (process.returncode, errors) == (130, "")
    finally:
        process.kill()
        process.wait(timeout=30)


def asked(address: str, path: str) -> Any:
    with urllib.request.urlopen(address + path, timeout=30) as answer:
        return json.load(answer)


def trials_of(address: str) -> list[dict[str, Any]]:
    (study,) = asked(address, "/api/studies")["study_summaries"]
    trials: list[dict[str, Any]] = asked(address, f"/api/studies/{study['study_id']}")["trials"]
    return trials


def until(true: Callable[[], bool], *, seconds: float = 100) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.2)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.slow
def test_it_shows_a_study_under_way_and_a_browser_draws_it(tmp_path: Path) -> None:
    space, folder = tmp_path / "space.yaml", tmp_path / "run"
    space.write_text(DIGITS, encoding="utf-8")
    study = subprocess.Popen(
        [sys.executable, "-m", "search.run", str(space), "--inline", "--out", str(folder)],
        stdout=subprocess.DEVNULL,
    )
    try:
        until(lambda: (folder / FILE).exists() and b'"epoch"' in (folder / FILE).read_bytes())
        study.send_signal(signal.SIGSTOP)  # however slow this machine is, it is under way
        with served(folder) as address:
            first = trials_of(address)
            assert len(first) < 8
            assert first[-1]["state"] == "Running"
            study.send_signal(signal.SIGCONT)
            assert study.wait(timeout=120) == 0
            until(lambda: [one["state"] for one in trials_of(address)] == ["Complete"] * 8)
            ends = [
                record["metrics"]["val_error"]
                for record in map(json.loads, (folder / FILE).read_bytes().splitlines())
                if record["event"] == "end"
            ]
            assert [one["values"][0] for one in trials_of(address)] == ends
            with browsing(width=1400, height=1000) as browser:
                _see(browser, address)
                (tmp_path / "dashboard.png").write_bytes(browser.picture())
    finally:
        study.kill()
        study.wait(timeout=30)


def _see(browser: Any, address: str) -> None:
    """The page of the study, with its name and a plot of its history."""
    study = asked(address, "/api/studies")["study_summaries"][0]["study_id"]
    browser.visit(f"{address}/dashboard/studies/{study}")
    text = "return document.body.innerText"
    until(lambda: "watched" in browser.run(text) and "History" in browser.run(text))
    until(lambda: browser.run("return document.querySelectorAll('svg .point').length") >= 8)
    browser.visit(f"{address}/dashboard/studies/{study}/trials")
    until(lambda: "Trial 7\nComplete" in browser.run(text))
    until(lambda: "net11_" in browser.run(text))  # the name, a user attribute


def test_it_only_reads(tmp_path: Path) -> None:
    folder = write_run(tmp_path, lambda _: 30.0, stop_after=3)
    before = contents(folder)
    with served(folder) as address:
        for method, path in (
            ("DELETE", "/api/studies/0"),
            ("POST", "/api/studies"),
            ("PUT", "/api/studies/0/note"),
        ):
            request = urllib.request.Request(address + path, data=b"{}", method=method)
            with pytest.raises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(request, timeout=30)
            assert refused.value.code == 403
            refused.value.close()
        elsewhere = urllib.request.Request(address, headers={"Host": "rebound.example:80"})
        with pytest.raises(urllib.error.HTTPError, match="403"):
            urllib.request.urlopen(elsewhere, timeout=30)
        with Journal(folder):  # whoever runs the study has its lock
            assert len(trials_of(address)) == 3
    assert contents(folder) == before


@pytest.mark.slow  # the study under way above is followed by the same reading
def test_one_that_is_tried_again_is_shown_again(tmp_path: Path) -> None:
    folder = made(tmp_path, [{"network": network(1), "status": Status.FAILED}]).folder
    with served(folder) as address:
        assert [one["state"] for one in trials_of(address)] == ["Fail"]
        time.sleep(2.1)  # the pages keep what they asked for so long
        with Journal(folder) as record:
            record.append(Retried(trial=0))
        until(lambda: [one["state"] for one in trials_of(address)] == ["Fail", "Running"])


@pytest.mark.slow
def test_a_journal_that_is_damaged_meanwhile_ends_it(tmp_path: Path) -> None:
    folder = write_run(tmp_path, lambda _: 30.0, stop_after=3)
    process = subprocess.Popen(
        [sys.executable, "-m", "search.dashboard", str(folder), "--port", "0"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    try:
        assert process.stdout is not None
        assert " http://" in process.stdout.readline()
        with (folder / FILE).open("ab") as file:
            file.write(b"{}\n")
        _, errors = process.communicate(timeout=100)
        assert process.returncode == 2
        assert errors.count("\n") == 1
        assert "is damaged" in errors
    finally:
        process.kill()
        process.wait(timeout=30)


def test_a_folder_without_a_run_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tmp_path / "nothing")]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert "nothing: contains no run" in said.err


def test_an_empty_address_does_not_mean_every_network(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([str(tmp_path), "--host", ""])
    assert ended.value.code == 2
    assert "--host: is empty; write 127.0.0.1 for this machine only" in capsys.readouterr().err


@pytest.mark.slow
def test_a_port_that_is_taken_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_run(tmp_path, lambda _: 30.0, stop_after=1)
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert main([str(folder), "--port", str(port)]) == 2
    assert capsys.readouterr().err == (
        f"--port {port}: is used by another process; give another, or 0 to have a free one "
        "picked\n"
    )


def test_without_the_extra_it_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As where it is not installed: nothing finds it, and it is not there from before."""
    folder = write_run(tmp_path, lambda _: 30.0, stop_after=1)
    find = PathFinder.find_spec

    def hidden(name: str, *rest: Any) -> ModuleSpec | None:
        return None if name == "optuna_dashboard" else find(name, *rest)

    for name in [one for one in sys.modules if one.split(".")[0] == "optuna_dashboard"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(PathFinder, "find_spec", hidden)
    assert main([str(folder)]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "pip install optuna-dashboard" in said
