"""Where good networks lie: numbers as ranges, values of each stage as what they are."""

from pathlib import Path
from typing import Any

import pytest

from analysis.cards.by_dimension import by_dimension
from analysis.plots.by_dimension import draw_by_dimension
from analysis.questions.by_dimension import best_by_dimension
from analysis.runs.networks import averaged
from analysis.runs.run import Run, RunError
from tests.analysis.made import made, network
from tests.analysis.questions.test_sampling import ALL, tried


def test_numbers_have_ranges(tmp_path: Path) -> None:
    """Errors fall by scale, the narrowest of each is the best; a whole grid is a sample."""
    found = best_by_dimension(tried(tmp_path)).set_index("dimension")
    assert list(found.index) == ["width", "scale"]
    assert tuple(found.loc["scale", ["low", "median", "high", "from", "to"]]) == (1, 3, 3, 1, 3)
    assert found.loc["scale", "networks"] == len(ALL)
    assert found["share"].isna().all()


def of_scales(folder: Path, scales: list[Any]) -> Run:
    """A network for each scale; the first has the lowest error, and so on."""
    rows = [
        {"network": network(1 + i, scale=scale), "val_error": 10.0 + i, "test_error": 10.0}
        for i, scale in enumerate(scales)
    ]
    return made(folder, rows)


def test_values_of_each_stage_are_categories(tmp_path: Path) -> None:
    """Two of eight networks are drawn, with replacement: the best is of both in 15 of 64."""
    run = of_scales(tmp_path, [1, (1, 2, 1), (1, 1, 2), (1, 1, 2)] * 2)
    found = best_by_dimension(run)
    scale = found[found["dimension"] == "scale"].set_index("value")
    won = {"1": (15 + 7) / 64, "1.1.2": (11 + 9 + 3 + 1) / 64, "1.2.1": (13 + 5) / 64}
    assert scale["share"].to_dict() == pytest.approx(won)
    assert scale["networks"].to_dict() == {"1.1.2": 4, "1": 2, "1.2.1": 2}
    axes = draw_by_dimension(averaged(run), found, run.ranking, title="stages").axes
    assert [ax.get_xlabel() for ax in axes] == ["width", "scale"]
    texts = [label.get_text() for label in axes[1].get_xticklabels()]
    assert texts == ["1\n34%", "1.1.2\n38%", "1.2.1\n28%"]
    assert len(axes[0].lines[-1].get_xdata()) == 8, "a point a network"
    alike = of_scales(tmp_path / "alike", [1, 1, *[(1, 1, 2)] * 4, 1, 1])
    said = (
        "In scale the best of random quarters most often has 1 or 1.1.2: in 50% of them each."
    )
    assert said in by_dimension(alike).sentences


def test_of_fewer_than_eight_a_quarter_is_one_network_whatever_its_score(
    tmp_path: Path,
) -> None:
    rows = [
        {"network": network(w), "val_error": 9.0 + w, "test_error": 9.0} for w in range(1, 8)
    ]
    with pytest.raises(RunError, match=r"7 network\(s\) were trained whole and lost no seed"):
        best_by_dimension(made(tmp_path, rows))


def test_what_is_no_sample_is_refused(tmp_path: Path) -> None:
    run = tried(tmp_path, "search.sampler=axes")
    with pytest.raises(RunError, match="no sample of the space: its sampler was axes"):
        best_by_dimension(run)
