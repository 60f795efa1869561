"""An --address is proved before anything is written: within seconds, the reason in words."""

import contextlib
import http.server
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from search.executors.address import check_address
from search.run import main
from tests.search.spaces import write
from tests.search.test_run import spawn


@contextlib.contextmanager
def closed() -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    yield f"127.0.0.1:{port}"


@contextlib.contextmanager
def silent() -> Iterator[str]:
    """Takes connections, and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


@contextlib.contextmanager
def web() -> Iterator[str]:
    server = http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def text(address: str) -> Callable[[], AbstractContextManager[str]]:
    return lambda: contextlib.nullcontext(address)


@pytest.mark.parametrize(
    ("where", "said"),
    [
        (closed, "no Ray cluster answers there (Connection refused)"),
        (silent, "no Ray cluster answers there (no answer)"),
        (web, "something answers there, but it is not a Ray cluster"),
        (text("no.such.host.invalid:6379"), "no machine called no.such.host.invalid is known"),
        (text("rubbish"), "is not an address; write HOST:PORT"),
        (text("localhost:99999"), "is not an address; write HOST:PORT"),
        (text("ray://localhost:10001"), "is not the address of a cluster's head, and trials"),
    ],
    ids=["closed", "silent", "web", "name", "rubbish", "port", "client"],
)
def test_where_no_cluster_answers_is_known_in_seconds_and_leaves_nothing(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    where: Callable[[], AbstractContextManager[str]],
    said: str,
) -> None:
    out, begin = tmp_path / "run", time.monotonic()
    with where() as address:
        code = main([str(write(tmp_path)), "--out", str(out), "--address", address])
    assert code == 2
    assert time.monotonic() - begin < 10
    err = capsys.readouterr().err
    assert f"--address {address}: {said}" in err
    assert not out.exists()


def test_auto_says_which_address_it_took(tmp_path: Path) -> None:
    with closed() as address:
        process = spawn(
            write(tmp_path), "--address", "auto", "--out", tmp_path / "run", RAY_ADDRESS=address
        )
        printed, _ = process.communicate(timeout=30)
    assert process.returncode == 2
    assert f"--address auto (RAY_ADDRESS is {address}): no Ray cluster" in printed
    assert not (tmp_path / "run").exists()


@pytest.fixture
def guarded_cluster(tmp_path: Path) -> Iterator[str]:
    """A head that asks for a token: 64 times the letter a."""
    with closed() as address:
        start = ["start", "--head", "--block", "--port", address.partition(":")[2]]
    head = subprocess.Popen(
        [sys.executable, "-m", "ray.scripts.scripts", *start, "--include-dashboard", "false"],
        env={**os.environ, "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "a" * 64},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert head.stdout is not None
    assert any("This command will now block" in line for line in head.stdout)
    yield address
    head.terminate()
    head.wait(timeout=30)
    head.stdout.close()


@pytest.mark.ray
@pytest.mark.slow
def test_a_cluster_s_token_is_asked_for_before_anything_is_written(
    tmp_path: Path,
    guarded_cluster: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    out = tmp_path / "run"
    command = [str(write(tmp_path)), "--out", str(out), "--address", guarded_cluster]
    for name, value in (("RAY_AUTH_TOKEN", "b" * 64), ("RAY_AUTH_MODE", "disabled")):
        begin = time.monotonic()
        with monkeypatch.context() as patch:
            patch.setenv(name, value)
            assert main(command) == 2
        assert "asks for a token" in capsys.readouterr().err
        assert time.monotonic() - begin < 10
        assert not out.exists()
    monkeypatch.setenv("RAY_AUTH_MODE", "token")
    monkeypatch.setenv("RAY_AUTH_TOKEN", "a" * 64)
    check_address(guarded_cluster)
