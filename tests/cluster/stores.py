"""An object store on this machine: moto's server of S3, which keeps all in its memory."""

import contextlib
import importlib.util
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyarrow import fs

BUCKET = "studies"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}


@contextlib.contextmanager
def store() -> Iterator[str]:
    """A server with an empty bucket; the URI of a folder in it."""
    python = sys.executable
    if not importlib.util.find_spec("moto"):
        found = shutil.which("moto_server")
        if found is None:
            pytest.skip("moto is not installed; install the extra dev")
        python = str(Path(found).with_name("python"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with subprocess.Popen(
        [python, str(Path(__file__).with_name("moto_server.py")), str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as server:
        try:
            _wait(port)
            uri = f"s3://{BUCKET}/runs?endpoint_override=127.0.0.1:{port}&scheme=http"
            _bucket(uri)
            yield uri
        finally:
            server.terminate()


def _wait(port: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        time.sleep(0.05)
    raise TimeoutError(port)


def _bucket(uri: str) -> None:
    objects(uri)[0].create_dir(BUCKET)


def objects(uri: str) -> tuple[object, list[str]]:
    """The store as pyarrow's own reader of URIs opens it, and the names of all its objects."""
    client, _ = fs.FileSystem.from_uri(
        f"{uri}&allow_bucket_creation=true&allow_delayed_open=true"
    )
    there = client.get_file_info(fs.FileSelector("", recursive=True))
    return client, sorted(info.path for info in there if info.is_file)
