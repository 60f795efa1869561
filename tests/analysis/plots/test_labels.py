"""Names lie on nothing, and whiskers that would hide each other stand apart."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.text import Annotation
from matplotlib.transforms import Bbox

from analysis.plots.labels import Named, moved_apart, write_names
from analysis.plots.style import drawing


def boxes(named: list[Named], lines: list[np.ndarray]) -> tuple[list[Bbox], list[np.ndarray]]:
    """Where names and lines lie, in pixels."""
    with drawing() as (figure, (ax,)):
        ax.set(xlim=(0, 10), ylim=(0, 10))
        for line in lines:
            ax.plot(*line.T)
        write_names(ax, named, lines)
        figure.draw_without_rendering()
        texts = [one for one in ax.texts if one.get_text()]
        assert [one.xy for one in texts if isinstance(one, Annotation)]
        return (
            [one.get_window_extent() for one in texts],
            [ax.transData.transform(line) for line in lines],
        )


def test_no_name_lies_on_another_one_or_on_a_line() -> None:
    rising = np.array([[0.0, 0.0], [10.0, 10.0]])
    upright = np.array([[5.0, 0.0], [5.0, 10.0]])
    named = [Named(x, y, f"{x}s", "black") for x in (4.8, 5.0, 5.2) for y in (5.0, 5.1)]
    texts, lines = boxes(named, [rising, upright])
    assert len(texts) == len(named)
    assert not any(a.overlaps(b) for i, a in enumerate(texts) for b in texts[:i])
    for line in lines:
        along = np.column_stack([np.linspace(*line[:, i], 2000) for i in (0, 1)])
        assert not any(box.contains(*place) for box in texts for place in along)


def test_a_name_at_the_edge_stays_inside() -> None:
    ends = [Named(x, y, "a long name", "black") for x in (0.0, 10.0) for y in (0.0, 10.0)]
    texts, (frame,) = boxes(ends, [np.array([[0.0, 0.0], [10.0, 10.0]])])
    for box in texts:
        assert frame[0, 0] <= box.x0 < box.x1 <= frame[1, 0]
        assert frame[0, 1] <= box.y0 < box.y1 <= frame[1, 1]


def test_whiskers_that_cross_stand_apart_and_others_stay() -> None:
    x = pd.Series([10.0, 10.1, 50.0, 50.1, 100.0], index=list("abcde"))
    low = pd.Series([1.0, 2.0, 1.0, 6.0, np.nan], index=x.index)
    high = low + 3
    moved = moved_apart(x, low, high)
    assert moved["b"] - moved["a"] == pytest.approx(0.022 * 90)
    assert (moved["a"] + moved["b"]) / 2 == pytest.approx(10.05)
    assert moved[list("cde")].tolist() == [50.0, 50.1, 100.0], "one is above the other"


@given(st.lists(st.floats(0, 100), max_size=12))
def test_nothing_moves_far_and_the_middle_stays(places: list[float]) -> None:
    x = pd.Series(places, dtype=float)
    moved = moved_apart(x, x * 0, x * 0 + 1)
    assert moved.sum() == pytest.approx(x.sum(), abs=1e-6)
    reach = 0.022 * (x.max() - x.min()) * len(x) if len(x) else 0
    assert ((moved - x).abs() <= reach + 1e-9).all()
