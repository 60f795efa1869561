"""The figures of a space hold what its tables do."""

from pathlib import Path

import numpy as np
import pytest

from analysis.plots.space import draw_importance, draw_marginals, draw_parallel
from analysis.plots.style import CONTRAST, contrast
from analysis.questions.importance import importance
from analysis.questions.marginals import marginals
from analysis.runs.networks import averaged
from analysis.runs.run import read_run
from tests.analysis.questions.test_importance import SPACE, by_scale
from tests.analysis.studied import write_run


def test_the_figures_show_what_the_tables_hold(tmp_path: Path) -> None:
    run = read_run(write_run(tmp_path, by_scale, text=SPACE))
    networks = averaged(run)
    table = importance(run, rng=np.random.default_rng(0), resamples=2)
    bars = draw_importance(table, title="known").axes[0].patches
    assert sorted(bar.get_width() for bar in bars) == pytest.approx(sorted(table["share"]))  # type: ignore[attr-defined]  # bars are rectangles
    assert len(draw_marginals(marginals(run), run.ranking, title="known").axes) == 4
    lines = (
        draw_parallel(networks, ("depth", "scale", "macs"), run.ranking, title="known")
        .axes[0]
        .lines
    )
    assert len(lines) == 40 + 3, "a line a network, and one an axis"
    heights = [tuple(np.asarray(line.get_ydata()).tolist()) for line in lines]
    drawn = [line for line, height in zip(lines, heights, strict=True) if len(height) == 3]
    others = [contrast(line.get_color()) for line in drawn[:-1]]
    assert others == sorted(others), "the better the darker, and drawn later"
    assert min(others) >= CONTRAST
    assert drawn[-1].get_linewidth() == max(line.get_linewidth() for line in drawn)
    nothing = draw_parallel(networks.iloc[:0], ("depth",), run.ranking, title="nothing")
    assert "no dimension varied" in nothing.axes[0].texts[0].get_text()
