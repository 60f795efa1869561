"""Images are found on each machine, and a machine that lacks them is named."""

import re
import shutil
import socket
from pathlib import Path

import pytest

from tests.cluster.nodes import bare_python, cluster, drive
from tests.search.images.trees import plant
from tests.search.spaces import TINY, write
from tests.search.test_run import ends_in

DATA = "{name: imagefolder, root: $IMAGES, validation: 4, resolution: 8}"
SPACE = TINY.replace("{name: synthetic, validation: 64}", DATA).replace(
    "batch_size: 32", "batch_size: 8"
)


@pytest.mark.slow
@pytest.mark.ray
def test_each_machine_has_its_own_copy_and_one_without_is_named(tmp_path: Path) -> None:
    ours = plant(tmp_path / "ours", ("ant", "bee"), train=12, val=4, side=8)
    theirs = tmp_path / "theirs"
    shutil.copytree(ours, theirs)
    space, out = write(tmp_path, SPACE), tmp_path / "run"
    known = {"IMAGES": str(ours), "ELSEWHERE": str(ours)}
    with cluster(
        bare_python(tmp_path / "venv"), tmp_path / "empty", {"IMAGES": str(theirs)}
    ) as at:
        done = drive(space, "--out", out, "--address", at, cwd=tmp_path, **known)
        assert done.returncode == 0, done.stdout + done.stderr
        assert len(ends_in(out)) == 3
        assert (theirs / ".decoded").is_dir(), "decoded there, from its own copy"
        there = ("--set", "data.root=$ELSEWHERE", "--out", tmp_path / "none")
        failed = drive(space, *there, "--address", at, cwd=tmp_path, **known)
    assert failed.returncode == 2, failed.stdout + failed.stderr
    node = rf"on node {re.escape(socket.gethostname())} \([0-9a-f.:]+\)"
    assert re.search(rf"a worker cannot start: {node}: data\.root: ", failed.stderr)
    assert "$ELSEWHERE is not there" in failed.stderr
