"""The figures of a run along axes show what its tables hold."""

import numpy as np
import pandas as pd
import pytest

from analysis.plots.equal_size import draw_comparisons, draw_slopes
from analysis.plots.series import draw_series
from analysis.questions.equal_size import comparisons
from analysis.questions.series import points, printed, summary
from analysis.runs.run import Run, read_run
from search.design.contrasts import BASE
from tests.analysis.questions.test_series import noisy
from tests.analysis.studied import write_run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return read_run(write_run(tmp_path_factory.mktemp("axes") / "run", noisy))


def test_each_network_stands_in_both_panels_and_has_its_name_in_one(run: Run) -> None:
    found = points(run)
    table = summary(found)
    figure = draw_series(table, run.score, printed=printed(run, found), title="demo")
    for ax, size in zip(figure.axes, ("params", "macs"), strict=True):
        dots = [line for line in ax.lines if not str(line.get_label()).startswith("_")]
        heights = [y for line in dots for y in np.asarray(line.get_ydata()).tolist()]
        assert sorted(heights) == pytest.approx(sorted(table["mean"]))
        places = [x for line in dots for x in np.asarray(line.get_xdata()).tolist()]
        unit = 1e6 if size == "params" else 1e9
        apart = 0.023 * float(np.ptp(table[size] / unit))
        assert sorted(places) == pytest.approx(sorted(table[size] / unit), abs=apart)
    left, right = figure.axes
    assert left.get_ylim() == right.get_ylim()
    others = table.loc[table["series"] != BASE, "label"]
    assert sorted(one.get_text() for one in left.texts if one.get_text()) == sorted(others)
    assert not right.texts
    said = [text.get_text() for text in figure.legends[0].get_texts()]
    assert "base: 29d-6c-24w-1s" in said
    assert "95 % interval over seeds" in said


def numbers(compared: pd.DataFrame) -> list[str]:
    p = [f"{one:.3f}" if one >= 0.001 else "< 0.001" for one in compared["p_all"]]
    return [
        *(f"{one:+.2f}" for one in compared["difference"]),
        *map(str, compared["seeds"]),
        *p,
        "difference",
        "seeds",
        "p, all at once",
    ]


def test_comparisons_have_their_numbers_beside_them(run: Run) -> None:
    compared = comparisons(points(run))
    for size in ("params", "macs"):
        figure = draw_comparisons(compared, run.score, size=size, title="demo")
        beside = [text.get_text() for text in figure.axes[1].texts]
        assert sorted(beside) == sorted(numbers(compared[compared["size"] == size]))
        labels = [text.get_text() for text in figure.axes[0].get_yticklabels()]
        assert len({*labels}) == len(labels) == (compared["size"] == size).sum()
        said = figure.legends[0].get_title().get_text()
        family = (compared["kind"] != "network").sum()
        assert said.startswith(
            f"intervals hold for all {family} comparisons at once (largest |t|); single"
        )
    slopes = compared[compared["kind"] == "slope"]
    figure = draw_slopes(compared, run.score, title="demo")
    assert sorted(text.get_text() for text in figure.axes[1].texts) == sorted(numbers(slopes))
    assert "single" not in figure.legends[0].get_title().get_text()
    empty = draw_comparisons(compared.iloc[:0], run.score, size="macs", title="demo")
    assert empty.axes[0].texts[0].get_text() == "there is nothing to compare yet"
