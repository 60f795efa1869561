"""Trials keep their state where every machine can reach it: a folder, or an object store."""

import http.server
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from search.run import main
from search.schema.remote import located
from search.study.checkpoints import (
    checkpoint_paths,
    remove_checkpoints,
    save_checkpoint,
    sound_checkpoints,
    tidy_checkpoints,
)
from search.study.events import Epoch
from search.study.journal import read
from tests.cluster.nodes import OFF, bare_python, cluster, drive
from tests.cluster.stores import BUCKET, CREDENTIALS, objects, store
from tests.search.spaces import TINY, write
from tests.search.test_run import ends_in, results_in, wait_for

LONG = TINY.replace("epochs: 3", "epochs: 150").replace("trials: 3", "trials: 2")


@pytest.fixture(scope="module")
def uri() -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in CREDENTIALS.items():
            patch.setenv(name, value)
        with store() as place:
            yield place


def contents(newest: object) -> list[bytes]:
    return [file.read().partition(b"\nsha256\n")[0] for file in sound_checkpoints(newest)]


def test_two_checkpoints_are_kept_in_a_store_and_damage_is_noticed(uri: str) -> None:
    folder = located(uri) / "two"
    newest = folder / "checkpoints" / "3.pt"
    for state in (b"one", b"two", b"three"):
        save_checkpoint(newest, lambda file, state=state: file.write(state))
    assert contents(newest) == [b"three", b"two"]
    client, _ = objects(uri)
    with client.open_output_stream(f"{BUCKET}/runs/two/checkpoints/3.pt") as stream:
        stream.write(b"thr")
    assert contents(newest) == [b"two"]
    assert not newest.exists(), "it would take the place of the sound one"
    with pytest.raises(ZeroDivisionError):
        save_checkpoint(newest, lambda file: (file.write(b"half"), 1 / 0))
    assert contents(newest) == [b"two"], "nothing half written is there"
    other, large = folder / "checkpoints" / "4.pt", bytes(25_000_000)  # sent in parts
    save_checkpoint(other, lambda file: file.write(large))
    assert contents(other) == [large]
    tidy_checkpoints(folder, {3})
    assert contents(other) == []
    assert contents(newest) == [b"two"]
    remove_checkpoints(newest)
    assert [name for name in objects(uri)[1] if "/two/" in name] == []
    assert str(checkpoint_paths(newest)[0]).startswith(f"s3://{BUCKET}/runs/two/")


@pytest.mark.ray
@pytest.mark.slow
@pytest.mark.parametrize("kind", ["s3", "file"])
def test_a_study_goes_on_from_a_place_that_is_not_its_folder(
    tmp_path: Path, uri: str, kind: str
) -> None:
    """Its workers see neither the checkout nor the run's folder but by this place."""
    place = uri if kind == "s3" else (tmp_path / "place").as_uri()
    space, out = write(tmp_path, f"{LONG}checkpoints: '{place}'\n"), tmp_path / "run"
    with cluster(bare_python(tmp_path / "venv"), tmp_path / "empty", CREDENTIALS) as address:
        command = ("--out", out, "--address", address)
        driver = subprocess.Popen(
            [sys.executable, "-m", "search.run", *map(str, (space, *command))],
            cwd=tmp_path,
            env={**os.environ, **OFF},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        wait_for(lambda: epochs_in(out) >= 4, process=driver)
        driver.send_signal(signal.SIGTERM)
        printed, _ = driver.communicate(timeout=60)
        assert driver.returncode == 130, printed
        assert not list(out.glob("checkpoints/*")), "they are elsewhere"
        kept = states(tmp_path, uri, kind)
        assert kept
        assert not ends_in(out), "a trial was under way"
        done = drive(space, *command, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 interrupted" in done.stdout
    assert states(tmp_path, uri, kind) == [], "all have ended"
    assert len(list(out.glob("networks/*.safetensors"))) == 1, "the best weights came here"
    inline = ["--out", str(tmp_path / "inline"), "--inline", "--set", "checkpoints=null"]
    assert main([str(space), *inline]) == 0
    assert results_in(tmp_path / "inline") == results_in(out)
    for path in (tmp_path / "inline").glob("networks/*.safetensors"):
        assert (out / "networks" / path.name).read_bytes() == path.read_bytes()


def epochs_in(out: Path) -> int:
    return sum(isinstance(one, Epoch) for one in read(out)) if out.is_dir() else 0


def states(folder: Path, uri: str, kind: str) -> list[str]:
    if kind == "s3":
        return [name for name in objects(uri)[1] if "/tiny-" in name]
    return [path.name for path in (folder / "place").rglob("*") if path.is_file()]


class Refusing(http.server.BaseHTTPRequestHandler):
    """A store that knows nobody."""

    def do_GET(self) -> None:
        body = b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"
        self.send_response(403)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Type", "application/xml")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_HEAD = do_PUT = do_POST = do_DELETE = do_GET  # noqa: N815 - http.server's names

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def refusing() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Refusing)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"s3://studies/runs?endpoint_override=127.0.0.1:{server.server_port}&scheme=http"
    server.shutdown()
    thread.join()
    server.server_close()


def refused(folder: Path, place: str, capsys: pytest.CaptureFixture[str]) -> str:
    out, begin = folder / "run", time.monotonic()
    space = write(folder, f"{TINY}checkpoints: '{place}'\n")
    assert main([str(space), "--out", str(out), "--inline"]) == 2
    assert time.monotonic() - begin < 45
    assert not out.exists()
    said = capsys.readouterr().err
    assert f"{space}:15: checkpoints: " in said, said
    return said


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("gs://studies/runs", "has an unknown scheme, gs://; write s3://bucket/"),
        ("s3://key:word@studies/runs", "contains a secret"),
        ("s3://studies/runs#2", "contains # or"),
        ("file:///tmp/a?b", "contains # or"),
        ("s3://studies/runs?region=eu&region=us", "has the option region more than once"),
        ("s3://studies/runs?endpoint_override=key:word@host", "contains a secret"),
        ("s3://key:wo/:word@studies/runs", "contains a secret"),
        ("s3:///runs", "names no bucket; write s3://bucket/folder"),
        (
            "s3://studies/runs?colour=red",
            "has the unknown option colour; write any of endpoint_override",
        ),
        ("file://elsewhere/runs", "is on another machine (elsewhere); write file:///folder"),
        ("/proc/nowhere", "cannot keep checkpoints"),
        ("", "is empty; write s3://bucket/folder"),
    ],
)
def test_a_place_that_cannot_be_is_refused_before_anything_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], place: str, said: str
) -> None:
    assert said in (shown := refused(tmp_path, place, capsys))
    assert ":word@" not in shown, "logs of clusters keep messages"


def test_a_store_that_does_not_take_it_is_refused_before_anything_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], uri: str, refusing: str
) -> None:
    assert "create the bucket" in refused(tmp_path, uri.replace(BUCKET, "nobodys"), capsys)
    assert "give credentials" in refused(tmp_path, refusing, capsys)
    closed = "s3://studies/runs?endpoint_override=127.0.0.1:1&scheme=http"
    assert "check whether the store runs" in refused(tmp_path, closed, capsys)


def test_the_place_may_change_between_starts(tmp_path: Path) -> None:
    space, out = write(tmp_path), tmp_path / "run"
    command = [str(space), "--out", str(out), "--inline"]
    assert main([*command, "--set", f"checkpoints={tmp_path / 'one'}"]) == 0
    assert (
        main([*command, "--set", "search.trials=4", "--set", f"checkpoints={tmp_path / 'two'}"])
        == 0
    )
    assert len(ends_in(out)) == 4
