"""A study over skeletons and stages: what is proposed, trained, journalled and gone on with."""

from pathlib import Path

import pytest

from analysis.runs.run import read_run
from analysis.summary import summarise
from res2net import cost
from search.run import main
from search.study.events import Started
from search.study.journal import read
from tests.search.spaces import write

SPACE = """\
study: stacks
network:
  skeleton: [cifar11, imagenet14, dla46, biglittle50]
  planes: 4
  scale: [1, 2, [1, 2, 3]]
  width: fill
budget:
  macs: {max: 300K}
data: {name: synthetic, validation: 64}
training: {epochs: 1, batch_size: 32, clip: 1.0, precision: fp32}
search: {sampler: tpe, trials: 6}
"""
STAGES = {
    "[cifar11, imagenet14, dla46, biglittle50]": "[imagenet14, dla46, biglittle50]",
    "[1, 2, [1, 2, 3]]": "{per_stage: [1, 2, 3]}",
    "trials: 6": "trials: 12",
}


def started(folder: Path) -> list[Started]:
    return [record for record in read(folder) if isinstance(record, Started)]


@pytest.mark.slow
def test_a_study_over_skeletons_and_stages(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Past TPE's random start, too: its dimensions are the skeleton and each stage's scale."""
    path = write(tmp_path, SPACE, **STAGES)
    command = [str(path), "--out", str(tmp_path / "run"), "--inline"]
    assert main(command) == 0
    rows = started(tmp_path / "run")
    assert len({row.name for row in rows}) == 12
    assert {row.network().skeleton for row in rows} == {"imagenet", "dla", "biglittle"}
    assert any(isinstance(row.network().scale, tuple) for row in rows)
    for row in rows:
        counted = cost(row.network(), image_size=8)
        assert (row.params, row.macs) == (counted.params, counted.macs)
        assert row.macs <= 300_000
    assert set(read_run(tmp_path / "run").trials["status"]) == {"ok"}
    assert summarise(tmp_path / "run")["figure"].is_file()
    capsys.readouterr()
    assert main(command) == 0
    assert "nothing to run" in capsys.readouterr().out


def test_a_list_by_stage_fits_every_skeleton_or_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path, SPACE)
    assert main([str(path), "--out", str(tmp_path / "run"), "--inline"]) == 2
    message = capsys.readouterr().err
    assert "network.scale: [1, 2, 3] is not 4 whole numbers" in message
    assert not (tmp_path / "run").exists()
