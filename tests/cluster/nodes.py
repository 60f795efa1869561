"""Machines of a cluster, all of them here, which have the libraries and not our code."""

import contextlib
import os
import socket
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Iterator, Mapping
from pathlib import Path

OFF = {"RAY_AUTH_MODE": "disabled"}  # what its processes would otherwise ask each other for


def bare_python(folder: Path) -> Path:
    """A Python that finds the libraries of this one, but no package installed editable.

    Python reads the .pth files of its own site-packages alone: a line in one of these adds a
    folder, not what the .pth files in that folder would add.
    """
    venv.create(folder, symlinks=True)
    own = next(folder.glob("lib/python*/site-packages"))
    (own / "libraries.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    return folder / "bin" / "python"


@contextlib.contextmanager
def cluster(
    python: Path, folder: Path, environment: Mapping[str, str] | None = None, *, cpus: int = 2
) -> Iterator[str]:
    """A head whose processes start in an empty folder and know nothing of the checkout."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    env = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}
    command = [
        str(python), "-m", "ray.scripts.scripts", "start", "--head", "--block",
        "--node-ip-address", "127.0.0.1", "--port", address.partition(":")[2],
        "--num-cpus", str(cpus), "--include-dashboard", "false", "--disable-usage-stats",
    ]  # fmt: skip
    folder.mkdir(exist_ok=True)
    head = subprocess.Popen(
        command,
        cwd=folder,
        env=env | OFF | dict(environment or {}),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert head.stdout is not None
    try:
        lines = []
        for line in head.stdout:
            lines.append(line)
            if "This command will now block" in line:
                break
        assert head.poll() is None, "".join(lines)
        yield address
    finally:
        head.terminate()
        head.wait(timeout=30)
        head.stdout.close()


def drive(
    *arguments: object, cwd: Path, **environment: str
) -> subprocess.CompletedProcess[str]:
    """The command as a person gives it, in a folder of theirs."""
    return subprocess.run(
        [sys.executable, "-m", "search.run", *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, **OFF, **environment},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
