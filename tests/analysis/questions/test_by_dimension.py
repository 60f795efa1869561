"""Where good networks lie: numbers as ranges, values of each stage as what they are."""

from pathlib import Path

import pytest

from analysis.plots.by_dimension import draw_by_dimension
from analysis.questions.by_dimension import best_by_dimension
from analysis.runs.networks import averaged
from analysis.runs.run import RunError
from tests.analysis.made import made, network
from tests.analysis.questions.test_sampling import ALL, tried


def test_numbers_have_ranges(tmp_path: Path) -> None:
    """Errors fall by scale, the narrowest of each is the best; a whole grid is a sample."""
    found = best_by_dimension(tried(tmp_path)).set_index("dimension")
    assert list(found.index) == ["width", "scale"]
    assert tuple(found.loc["scale", ["low", "median", "high", "from", "to"]]) == (1, 3, 3, 1, 3)
    assert found.loc["scale", "networks"] == len(ALL)
    assert found["share"].isna().all()


def test_values_of_each_stage_are_categories(tmp_path: Path) -> None:
    """Of four networks one is drawn at a time: each is the best of it in a quarter."""
    scales = [1, (1, 2, 1), (1, 1, 2), (1, 1, 2)]
    rows = [
        {"network": network(1 + i // 3, scale=scale), "val_error": 10.0 + i, "test_error": 10.0}
        for i, scale in enumerate(scales)
    ]
    run = made(tmp_path, rows)
    found = best_by_dimension(run)
    scale = found[found["dimension"] == "scale"].set_index("value")
    assert scale["share"].to_dict() == {"1.1.2": 0.5, "1": 0.25, "1.2.1": 0.25}
    assert scale["networks"].to_dict() == {"1.1.2": 2, "1": 1, "1.2.1": 1}
    axes = draw_by_dimension(averaged(run), found, run.ranking, title="stages").axes
    assert [ax.get_xlabel() for ax in axes] == ["width", "scale"]
    texts = [label.get_text() for label in axes[1].get_xticklabels()]
    assert texts == ["1\n25%", "1.1.2\n50%", "1.2.1\n25%"]
    assert len(axes[0].lines[-1].get_xdata()) == 4, "a point a network"


def test_what_is_no_sample_is_refused(tmp_path: Path) -> None:
    run = tried(tmp_path, "search.sampler=axes")
    with pytest.raises(RunError, match="no sample of the space: its sampler was axes"):
        best_by_dimension(run)
