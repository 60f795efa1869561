"""A cluster's machines need the libraries, not our code: it is shipped, and so are parts."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from search.run import main
from tests.cluster.nodes import bare_python, cluster, drive
from tests.search.spaces import TINY, write
from tests.search.test_run import results_in

OPTIMISER = """\
import torch


def plain(groups, training):
    # without momentum
    return torch.optim.SGD(groups, lr=training.lr)
"""
OFF = {"RAY_AUTH_MODE": "disabled"}


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    folder = tmp_path_factory.mktemp("bare")
    python = bare_python(folder / "venv")
    with cluster(python, folder / "empty", OFF) as address:
        yield python, address


@pytest.mark.ray
def test_a_machine_without_our_code_runs_trials_with_parts_of_a_person_s_own(
    tmp_path: Path, bare: tuple[Path, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    python, address = bare
    asked = "import importlib.util as u; print([bool(u.find_spec(n)) for n in ('ray', 'search')])"
    answer = subprocess.run(
        [python, "-c", asked], cwd="/", env={}, capture_output=True, text=True, check=True
    )
    assert answer.stdout == "[True, False]\n", "its Python has Ray and not us"
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "mine.py").write_text(OPTIMISER)
    (tmp_path / "beside.py").write_text(OPTIMISER)
    space = write(tmp_path, TINY.replace("lr: 0.1", "lr: 0.1, optimizer: PART"))
    monkeypatch.chdir(tmp_path)
    for part in ("parts/mine.py:plain", "beside:plain"):
        text = f"training.optimizer={part}"
        out = tmp_path / part.partition(":")[0].replace("/", "-")
        done = drive(
            space, "--set", text, "--out", out, "--address", address, cwd=tmp_path,
            PYTHONPATH=f"{Path(__file__).parents[2]}:{tmp_path}",
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        monkeypatch.syspath_prepend(tmp_path)
        inline = tmp_path / f"{out.name}-inline"
        assert main([str(space), "--set", text, "--out", str(inline), "--inline"]) == 0
        assert results_in(inline) == results_in(out)
        shutil.rmtree(out)
