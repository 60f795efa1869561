"""The ImageNet spaces plan with the paper's recipe, against a tree as large as theirs."""

import shutil
from pathlib import Path

import pytest

from search.run import main
from search.space.survey import survey
from tests.search.images.trees import plant
from tests.search.spaces import load

SPACES = Path(__file__).parents[3] / "spaces"


@pytest.fixture(scope="module")
def imagenet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """120 classes under ImageNet's kind of names; only names are read for a plan."""
    names = [f"n{number:08d}" for number in range(1440764, 1440764 + 120)]
    return plant(tmp_path_factory.mktemp("imagenet"), names, train=60, val=2)


def test_imagenet100_plans_100_classes_at_the_paper_s_cost(
    imagenet: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = SPACES / "imagenet100_budget.yaml"
    config, _ = load(path, (f"data.root={imagenet}",))
    assert config.data.classes == 100
    assert config.data.train == 100 * 60 - config.data.validation
    assert set(config.data.class_names) < {p.name for p in (imagenet / "train").iterdir()}
    surveyed = survey(config)
    assert surveyed.costs.macs.max() <= 4_260_000_000
    assert surveyed.architecture(0).classes == 100
    assert main([str(path), "--plan", "--set", f"data.root={imagenet}"]) == 0
    shown = capsys.readouterr().out
    assert "of 100 epochs over 1,000 images of imagenet, batch 256" in shown


def test_table_3_plans_every_network_of_the_table(imagenet: Path) -> None:
    overrides = (f"data.root={imagenet}", "data.validation=1000")
    config, _ = load(SPACES / "imagenet_table3.yaml", overrides)
    surveyed = survey(config)
    inside = {surveyed.architecture(number) for number in range(len(surveyed))}
    dims = {(a.width, a.scale) for a in inside}
    assert {(48, 2), (26, 4), (14, 8), (26, 6), (26, 8), (18, 4)} <= dims
    assert config.search.trials == len(surveyed), "the grid runs all of them"
    training = config.training
    assert (training.epochs, training.batch_size, training.label_smoothing) == (100, 256, 0.1)
    assert training.resized_crop == (0.08, 1.0)


def test_a_study_of_a_small_tree_from_files_to_a_result(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The whole path, in this process: decode, keep, train, resume without decoding again."""
    root = plant(tmp_path / "images", ["ant", "bee", "cow"], train=24, val=6, side=20)
    (root / "train" / "bee" / "00003.png").write_bytes(b"\x89PNG no image")
    space = tmp_path / "space.yaml"
    space.write_text(
        "study: tree\n"
        "network: {depth: 11, planes: 2, scale: [1, 2], width: [1, 2]}\n"
        f"data: {{name: imagefolder, root: {root}, resolution: 16, validation: 12}}\n"
        "training: {epochs: 2, batch_size: 16, lr: 0.05, resized_crop: [0.6, 1.0], "
        "precision: fp32}\n"
        "search: {sampler: random, trials: 2}\n"
    )
    out = str(tmp_path / "run")
    assert main([str(space), "--inline", "--out", out]) == 0
    told = capsys.readouterr().out.replace("\n", "")
    assert "train/bee/00003.png: is not an image" in told
    damaged = root / "train" / "bee" / "00003.png"
    before = damaged.read_bytes()
    shutil.copy(root / "train" / "bee" / "00004.png", damaged)
    mended = [str(space), "--inline", "--out", out, "--set", "search.trials=3"]
    assert main(mended) == 2, "its trials so far were trained without that image"
    assert "repaired or damaged since: train/bee/00003.png" in capsys.readouterr().err
    damaged.write_bytes(before)
    kept = {path: path.stat().st_mtime_ns for path in (root / ".decoded").rglob("*.u8")}
    assert len(kept) == 3, "train and val, and train as it was mended for a while"
    assert main([str(space), "--inline", "--out", out, "--set", "search.trials=3"]) == 0
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
