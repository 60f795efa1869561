"""Do ranks hold on another task? Kendall's tau, pairs told apart, and what is refused."""

import hashlib
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from analysis.cards.deck import cards_of
from analysis.cards.transfer import transfer_card
from analysis.questions.transfer import transferred
from analysis.runs.run import Run, RunError, read_run
from search.space.configuration import architecture_to_json
from tests.analysis.made import made, network

SPACE = """\
study: elsewhere
network: {{skeleton: cifar, planes: 2, depth: 11, width: {{from: 1, to: {widths}}}}}
data: {{name: synthetic, validation: 64}}
training: {{epochs: 3, batch_size: 32, lr: 0.1, precision: fp32}}
transfer: {{from: '{source}'}}
search: {{sampler: grid, seeds: {seeds}}}
"""


def kept(folder: Path, errors: Mapping[int, list[float]], **about: Any) -> Path:
    """A folder of weights: of networks by width, errors of each seed."""
    folder.mkdir(parents=True)
    for width, values in errors.items():
        for repeat, error in enumerate(values):
            architecture = network(width, classes=10)
            path = folder / f"{architecture.name}-seed{repeat}.safetensors"
            path.write_bytes(f"weights {width} {repeat}".encode())
            told = {
                "architecture": architecture_to_json(architecture),
                "phase": "search",
                "repeat": repeat,
                "metrics": {"val_error": error + 1, "test_error": error},
                "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            }
            path.with_suffix(".json").write_text(json.dumps(told | about))
    return folder


def studied(
    folder: Path, there: Mapping[int, list[float]], here: Mapping[int, list[float]]
) -> Run:
    """A run with these test errors here and in the source, by width and seed."""
    source = kept(folder / "source", there)
    seeds = len(next(iter(there.values())))
    text = SPACE.format(widths=len(there), source=source, seeds=seeds)
    rows = [
        {"network": network(width), "seed": repeat, "repeat": repeat, "val_error": 50.0,
         "test_error": error}
        for width, values in here.items()
        for repeat, error in enumerate(values)
    ]  # fmt: skip
    run = made(folder / "run", rows, text=text)
    shutil.rmtree(source)
    return run


def errors(
    count: int, *, seeds: int = 3, noise: float = 0.5, seed: int = 0, turned: bool = False
) -> dict[int, list[float]]:
    """Errors that fall with the width, or rise where `turned`."""
    rng = np.random.default_rng(seed)
    sign = 1 if turned else -1
    return {
        width: [50 + sign * 3 * width + noise * rng.normal() for _ in range(seeds)]
        for width in range(1, count + 1)
    }


def test_tau_is_of_the_means_over_the_seeds_that_both_have(tmp_path: Path) -> None:
    there, here = errors(9, noise=6.0, seed=1), errors(9, noise=6.0, seed=2)
    found = transferred(studied(tmp_path, there, here))
    means = [[float(np.mean(side[width])) for width in there] for side in (there, here)]
    assert found.tau.estimate == pytest.approx(stats.kendalltau(*means).statistic)
    assert found.tau.low is not None
    assert found.tau.low < found.tau.estimate < found.tau.high
    assert found.table["source"].is_monotonic_increasing, "the best of the source comes first"
    assert set(found.table["source"].round(9)) == {round(one, 9) for one in means[0]}


def test_pairs_are_told_apart_the_same_way_or_the_other(tmp_path: Path) -> None:
    clear = errors(4, noise=0.2)
    same = transferred(studied(tmp_path / "a", clear, errors(4, noise=0.2, seed=5)))
    assert same.pairs == (6, 6, 6, 0)
    turned = transferred(
        studied(tmp_path / "b", clear, errors(4, noise=0.2, seed=5, turned=True))
    )
    assert turned.pairs == (6, 6, 0, 6)
    assert turned.tau.estimate == pytest.approx(-1)
    blurred = transferred(studied(tmp_path / "c", clear, errors(4, noise=30.0, seed=5)))
    assert blurred.pairs.apart == 6
    assert blurred.pairs.untold == 6


def test_a_copied_folder_suffices(tmp_path: Path) -> None:
    """The source is gone, and the run elsewhere."""
    run = studied(tmp_path, errors(5), errors(5, seed=3))
    there = read_run(Path(shutil.copytree(run.folder, tmp_path / "copy")))
    assert transferred(there).tau == transferred(run).tau


def test_the_card_says_what_it_knows_and_how_few_there_are(tmp_path: Path) -> None:
    card = transfer_card(
        studied(tmp_path, errors(5, noise=0.02), errors(5, noise=0.02, seed=3))
    )
    said = " ".join(card.sentences)
    assert "tau_b of 5 networks: 1.00 (p 0.017, exact: too few networks for an" in said
    assert "Of 10 pairs of networks the source tells 10 apart" in said
    assert "10 of these this task tells apart the same way, 0 the other way" in said
    assert not card.claims
    assert "test accuracy (%), in the source" in [c.title for c in card.shown[0].columns]
    figure = card.shown[0].draw()
    ax = figure.axes[0]
    assert ax.get_xlabel().replace("\n", " ").startswith("test accuracy (%), in ")
    assert ax.get_ylabel() == "test accuracy (%), this task"
    assert "width 5" in [text.get_text() for text in ax.texts]


def test_one_seed_and_many_networks_tell_no_pairs(tmp_path: Path) -> None:
    one = errors(9, seeds=1)
    card = transfer_card(studied(tmp_path / "a", one, errors(9, seeds=1, seed=4)))
    assert "With one seed no two networks can be told apart" in " ".join(card.sentences)
    many = transfer_card(studied(tmp_path / "b", errors(25), errors(25, seed=4)))
    assert "More than 24 networks: pairs are not compared" in " ".join(many.sentences)


def test_what_has_no_ranks_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"3 network\(s\) were trained whole .* of 4 or more"):
        transferred(studied(tmp_path / "few", errors(3), errors(3)))
    plain = made(
        tmp_path / "plain", [{"network": network(1), "val_error": 9.0, "test_error": 9.0}]
    )
    with pytest.raises(RunError, match="no backbone began with the weights"):
        transferred(plain)
    assert "transfer" not in [card.name for card in cards_of(plain)]


def test_sources_of_several_tasks_have_no_common_rank(tmp_path: Path) -> None:
    kept(tmp_path / "one", errors(2))
    objective = {"name": "val_miou", "direction": "maximize", "unit": "%", "complement": ""}
    more = {width: values for width, values in errors(5).items() if width > 2}
    other = kept(tmp_path / "other", more, objective=objective, task="segmentation")
    text = SPACE.format(widths=5, source="x", seeds=3).replace(
        "'x'", f"['{tmp_path / 'one'}', '{other}']"
    )
    rows = [{"network": network(1), "val_error": 9.0, "test_error": 9.0}]
    run = made(tmp_path / "run", rows, text=text)
    with pytest.raises(RunError, match="studies that were compared by different metrics"):
        transferred(run)
