"""The files in cluster/: they are what Slurm, Ray and Kubernetes read, and do what they say."""

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from ray.autoscaler._private.util import prepare_config, validate_config
from ruamel.yaml import YAML

from search.run_command import _parser
from search.study.events import Epoch
from search.study.journal import read
from tests.search.spaces import TINY, write
from tests.search.test_run import wait_for

ROOT = Path(__file__).parents[2]
FILES = ROOT / "cluster"
SCRIPT = FILES / "slurm.sh"
PINNED = re.search(r"^ray==(.+)$", (ROOT / "constraints.txt").read_text(), re.MULTILINE)[1]
# What a site's Slurm would do, on this machine: srun leaves its own options and runs the rest.
SCONTROL = """\
#!/bin/bash
if [ "$1 $2" = "show hostnames" ]; then echo localhost; else echo "$@" >>"$RECORD"; fi
"""
SRUN = """\
#!/bin/bash
while [[ "$1" == --* ]]; do shift; done
if [ "$1" = hostname ]; then echo 127.0.0.1; else exec "$@"; fi
"""
RAY = """\
#!/bin/bash
[ "$1" != get-auth-token ] || echo "token of a test"
[ "$1" != start ] || exec sleep 60
"""
PYTHON = """\
#!/bin/bash
echo "$@" >"$RECORD.command"
stat -c %a "$RAY_AUTH_TOKEN_PATH" >"$RECORD.mode"
cat "$RAY_AUTH_TOKEN_PATH" >"$RECORD.token"
exit "$CODE"
"""


def loaded(name: str) -> dict[str, Any]:
    with (FILES / name).open(encoding="utf-8") as file:
        return YAML(typ="safe").load(file)


def commands(folder: Path, **texts: str) -> None:
    folder.mkdir()
    for name, text in texts.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)


def submitted(folder: Path, *arguments: object, **environment: str) -> subprocess.Popen[str]:
    """The script as Slurm starts it in a job of one machine."""
    job = {
        "SLURM_JOB_ID": str(os.getpid()),
        "SLURM_JOB_NODELIST": "localhost",
        "SLURM_JOB_NUM_NODES": "1",
        "SLURM_CPUS_PER_TASK": "2",
        "SLURM_SUBMIT_DIR": str(folder),
        "SLURM_JOB_END_TIME": str(int(time.time()) + 3600),
        "RECORD": str(folder / "record"),
        "PATH": f"{folder / 'bin'}:{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    return subprocess.Popen(
        ["bash", str(SCRIPT), *map(str, arguments)],
        cwd=folder,
        env={**os.environ, **job, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def requeued(folder: Path) -> list[str]:
    path = folder / "record"
    return path.read_text().splitlines() if path.exists() else []


@pytest.mark.parametrize("code", [0, 1, 2, 3, 4, 130])
def test_a_job_goes_back_to_the_queue_where_work_is_left_and_only_then(
    tmp_path: Path, code: int
) -> None:
    commands(tmp_path / "bin", scontrol=SCONTROL, srun=SRUN, ray=RAY, python=PYTHON)
    job = submitted(tmp_path, "my space.yaml", "--out", "runs/a", CODE=str(code))
    printed, _ = job.communicate(timeout=30)
    assert job.returncode == code, printed
    # Stopped with no signal to the job, the study was stopped by a person.
    assert requeued(tmp_path) == ([f"requeue {os.getpid()}"] if code == 4 else [])
    given = (tmp_path / "record.command").read_text()
    found = re.search(r"--address 127\.0\.0\.1:\d+ --time-limit (\d+)s$", given)
    assert found, given
    assert 3400 < int(found[1]) <= 3480
    assert (tmp_path / "record.mode").read_text() == "600\n", "nobody else reads the token"
    assert (tmp_path / "record.token").read_text() == "token of a test\n"
    assert not list(tmp_path.glob(".ray-token*")), "it goes with the job"


@pytest.mark.slow
@pytest.mark.ray
def test_a_job_that_is_preempted_ends_in_order_and_is_requeued(tmp_path: Path) -> None:
    """With Ray and the study as they are, and a token between them."""
    commands(tmp_path / "bin", scontrol=SCONTROL, srun=SRUN)
    space, out = write(tmp_path, TINY.replace("epochs: 3", "epochs: 500")), tmp_path / "run"
    job = submitted(tmp_path, space, "--out", out, PYTHONPATH=str(ROOT))
    wait_for(lambda: out.is_dir() and reported(out), process=job)
    os.kill(job.pid, signal.SIGTERM)
    printed, _ = job.communicate(timeout=60)
    assert job.returncode == 130, printed
    assert requeued(tmp_path) == [f"requeue {os.getpid()}"], printed
    assert list(out.glob("checkpoints/*.pt")), "what was under way is kept"
    assert "stopped" in printed


def reported(out: Path) -> bool:
    return any(isinstance(one, Epoch) for one in read(out))


def test_the_script_is_one_that_bash_and_its_critic_read() -> None:
    subprocess.run(["bash", "-n", SCRIPT], check=True, timeout=30)
    critic = shutil.which(
        "shellcheck", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    )
    if critic is None:
        pytest.skip("shellcheck is not installed; bash -n was")
    done = subprocess.run([critic, SCRIPT], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_cluster_file_is_one_of_ray_s() -> None:
    data = loaded("aws.yaml")
    assert f":{PINNED}-" in data["docker"]["image"]
    validate_config(prepare_config(data))
    # rsync drops every folder of a name without a leading slash, such as analysis/runs.
    ignored = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line]
    for name in (*data["rsync_exclude"], *(one for one in ignored if one[0] != "#")):
        assert re.fullmatch(r"/[.\w]+", name), name
        assert name == "/.venv" or not list(ROOT.glob(f"{name[1:]}/**/__init__.py"))
    with pytest.raises(Exception, match="max_worker"):
        validate_config(prepare_config(data | {"max_worker": 3}))


def test_the_job_of_kubernetes_has_what_kuberay_asks_for() -> None:
    """Not against its schema, which no package brings; by the keys that its documents name."""
    data = loaded("rayjob.yaml")
    assert (data["apiVersion"], data["kind"]) == ("ray.io/v1", "RayJob")
    assert re.fullmatch(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?", data["metadata"]["name"])
    spec = data["spec"]
    cluster = spec["rayClusterSpec"]
    assert cluster["rayVersion"] == PINNED == version("ray")
    groups = [cluster["headGroupSpec"], *cluster["workerGroupSpecs"]]
    for group in groups:
        pod = group["template"]["spec"]
        (container,) = pod["containers"]
        assert container["image"].endswith(f":{PINNED}")
        volumes = {one["name"] for one in pod["volumes"]}
        assert {one["name"] for one in container["volumeMounts"]} == volumes
    for group in cluster["workerGroupSpecs"]:
        assert group["minReplicas"] <= group["replicas"] <= group["maxReplicas"]
    assert f"FROM rayproject/ray:{PINNED}-" in (FILES / "Dockerfile").read_text()


def entry_points() -> list[list[str]]:
    """Each line that starts a study, in the files and in what is said of them."""
    found = [loaded("rayjob.yaml")["spec"]["entrypoint"]]
    said = (ROOT / "docs" / "cluster.md").read_text(encoding="utf-8")
    found += re.findall(r"python -m search\.run [^'`#\n]+", said)
    return [shlex.split(line)[3:] for line in found]


def test_lines_that_start_a_study_are_ones_that_it_reads() -> None:
    lines = entry_points()
    assert len(lines) >= 3
    for line in lines:
        assert _parser().parse_args(line).address, line
