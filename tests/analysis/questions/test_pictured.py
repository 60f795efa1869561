"""Which networks are pictured beside each other, and what is said where none is."""

from pathlib import Path

import numpy as np
import pytest

from analysis.cards.deck import cards_of
from analysis.cards.pictured import pictured_card
from analysis.questions.pictured import has_pictures, pictured
from analysis.runs.run import Run, RunError
from search.scenes.pictured import Pictured, save
from search.scenes.scene import Scene
from tests.analysis.made import made, network


def of(tmp_path: Path) -> Run:
    """Three networks, the two best of one scale."""
    shapes = {10.0: network(2), 11.0: network(3), 12.0: network(2, scale=3)}
    rows = [
        {"network": shape, "val_error": error, "test_error": error}
        for error, shape in shapes.items()
    ]
    return made(tmp_path, rows, "search.trials=3")


def keep_pictures(run: Run) -> None:
    """Of each network, as a study of scenes keeps them."""
    scene = Scene(
        name="one",
        image=np.zeros((8, 8, 3), np.uint8),
        semantic=np.eye(8, dtype=np.uint8),
    )
    (run.folder / "networks").mkdir()
    for name in run.trials["name"].unique():
        path = run.folder / "networks" / f"{name}-seed0.npz"
        save(path, [Pictured(scene, scene)], {"task": "segmentation"})


def test_the_best_stands_beside_the_best_of_another_scale(tmp_path: Path) -> None:
    run = of(tmp_path)
    assert not has_pictures(run)
    assert "pictured" not in [card.name for card in cards_of(run)]
    assert "keep: {best: 2}" in pictured_card(run).refused
    keep_pictures(run)
    seen = pictured(run)
    assert [one.score for one in seen] == [10.0, 12.0]
    assert [len(one.scenes) for one in seen] == [1, 1]
    assert "pictured" in [card.name for card in cards_of(run)]
    (run.folder / "networks" / f"{seen[1].name}-seed0.npz").unlink()
    assert [one.score for one in pictured(run)] == [10.0, 11.0], (
        "of one scale, if there is no other"
    )


def test_pictures_are_those_of_the_first_seed_of_the_search(tmp_path: Path) -> None:
    """Files of a confirmation, and of seed 10, come first by name."""
    run = of(tmp_path)
    keep_pictures(run)
    name = network(2).name
    folder = run.folder / "networks"
    seed0, first = (folder / f"{name}-seed{seed}.npz" for seed in (0, 2))
    seed0.rename(first)
    damaged = ("confirmed-30epochs-seed0", "seed10")
    for end in damaged:
        (folder / f"{name}-{end}.npz").write_bytes(b"")
    assert pictured(run)[0].name == name
    first.unlink()
    (folder / f"{name}-seed10.npz").unlink()
    assert pictured(run)[0].name == network(3).name


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    run = of(tmp_path)
    keep_pictures(run)
    for path in (run.folder / "networks").glob("*.npz"):
        path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(RunError, match=r"is damaged .*remove the file"):
        pictured(run)
