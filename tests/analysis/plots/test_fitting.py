"""Whatever is written in a figure stands inside it, on a screen and in a column of a paper."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from analysis.plots.cost_axis import labelled
from analysis.plots.curves import draw_curves
from analysis.plots.fitting import POINTS, width_of, wrapped
from analysis.plots.pairs import draw_pairs
from analysis.plots.rates import draw_rates
from analysis.plots.space import draw_importance
from analysis.plots.style import PAPER, SCREEN, Look, cut_whiskers, drawing, seen
from analysis.questions.rates import Tried, compared
from analysis.runs.scores import Score
from search.schema.metrics import COUNTED, MEASURED, Objective

ERROR = Objective("val_error", "minimize", "reported", "%", "accuracy")


def words_outside(figure: Figure) -> list[str]:
    """Texts that leave the figure; ticks outside the view are not drawn."""
    renderer = FigureCanvasAgg(figure).get_renderer()  # type: ignore[no-untyped-call]  # untyped
    figure.draw_without_rendering()
    axes = [axis for ax in figure.axes for axis in (ax.xaxis, ax.yaxis)]
    ticks = {label for axis in axes for label in axis.get_ticklabels()}
    texts = [one for one in figure.findobj(Text) if isinstance(one, Text) and one not in ticks]
    found = [one for one in texts if one.get_text() and one.get_visible()]
    whole = figure.bbox.padded(1)
    boxes = [text.get_window_extent(renderer) for text in found]
    return [
        text.get_text()
        for text, box in zip(found, boxes, strict=True)
        if not (whole.contains(box.x0, box.y0) and whole.contains(box.x1, box.y1))
    ]


def ticks_covered(figure: Figure) -> list[str]:
    """Values at a lower axis that run into the one before."""
    covered = []
    for ax in figure.axes:
        low, high = sorted(ax.get_xlim())
        shown = zip(ax.get_xticks(), ax.get_xticklabels(), strict=True)
        labels = [text for place, text in shown if low <= place <= high and text.get_text()]
        edges = [text.get_window_extent() for text in labels]
        covered += [
            labels[at].get_text()
            for at in range(1, len(edges))
            if edges[at].x0 < edges[at - 1].x1
        ]
    return covered


def pairs() -> Figure:
    rows = [
        {"a_label": f"width {i}, scale 2, cardinality 4", "b_label": "width 8, scale 1",
         "difference": i / 1000, "low": i / 1000 - 0.002, "high": i / 1000 + 0.002,
         "low_all": i / 1000 - 0.003, "high_all": i / 1000 + 0.003, "macs_ratio": i}
        for i in range(1, 4)
    ]  # fmt: skip
    score = Score("test max f measure", "", complemented=False, more_is_better=True)
    return draw_pairs(pd.DataFrame(rows), score, title="pairs")


def shares() -> Figure:
    rows = [
        {"evaluator": "fANOVA", "dimension": name, "share": 0.5, "low": 0.4, "high": 0.6}
        for name in ("depth", "cardinality")
    ]
    return draw_importance(pd.DataFrame(rows), title="shares")


def curves() -> Figure:
    long = "res2net29_4w4s_8p_10classes_epochs2_lr0.456_weight_decay0.00456_label_smoothing0.1"
    rows = [
        {"name": f"{long}{i}", "epoch": epoch, "mean": 50.0 - epoch, "seeds": 2}
        for i in range(3)
        for epoch in (1, 2)
    ]
    band = pd.DataFrame(
        {"epoch": [1, 2], "low": 40.0, "high": 60.0, "median": 50.0, "between": "5 and 95 %"}
    )
    return draw_curves(band, pd.DataFrame(rows), ERROR, title="curves")


def rates(count: int = 24) -> Figure:
    tried_rates = np.geomspace(0.001, 1.28, 22)
    best = np.geomspace(0.5, 0.02, count)
    losses = 20 + np.log(tried_rates / best[:, None])[:, :, None] ** 2 + np.zeros(2)
    names = tuple(f"res2net{11 + 9 * i}_4w4s_8p_10classes" for i in range(count))
    found = Tried(names, tuple(range(8, 8 + count)), tried_rates, losses, losses)
    return draw_rates(found, compared(found), ERROR, title="rates")


@pytest.mark.parametrize("look", [SCREEN, PAPER], ids=["screen", "paper"])
@pytest.mark.parametrize("draw", [pairs, shares, curves, rates], ids=lambda draw: draw.__name__)
def test_no_word_leaves_its_figure_and_no_tick_covers_the_next(
    draw: Callable[[], Figure], look: Look
) -> None:
    with seen(look):
        figure = draw()
    assert words_outside(figure) == []
    assert ticks_covered(figure) == []


def test_of_many_networks_the_best_and_the_worst_have_their_colour() -> None:
    labels = [text.get_text() for text in rates().legends[0].get_texts()]
    assert len(labels) == 7
    assert "18 between them" in labels
    assert [text.get_text() for text in rates(7).legends[0].get_texts()] == [
        f"res2net{11 + 9 * i}_4w4s_8p_10classes" for i in range(7)
    ]


@given(
    words=st.lists(st.text("abcdefghij_", min_size=1, max_size=12), min_size=1, max_size=20),
    room=st.floats(1.5, 8),
)
def test_wrapped_text_keeps_its_words_and_its_room(words: list[str], room: float) -> None:
    text = " ".join(words)
    lines = wrapped(text, room, 10)
    assert lines.split() == words
    assert width_of(lines, 10) <= POINTS * room


@pytest.mark.parametrize(
    ("cost", "values", "expected"),
    [
        (COUNTED["macs"], [2.5e6], (1e6, "multiply-adds per image (M)")),
        (COUNTED["params"], [900.0], (1.0, "parameters")),
        (MEASURED["throughput"], [2500.0], (1.0, "throughput (images/s)")),
        (MEASURED["latency"], [1500.0], (1.0, "latency (ms)")),
        (MEASURED["inference_memory"], [3e9], (1e9, "inference memory (GB)")),
    ],
)
def test_only_counts_and_bytes_are_shown_in_thousands(
    cost: Objective, values: list[float], expected: tuple[float, str]
) -> None:
    assert labelled(cost, pd.Series(values)) == expected


@pytest.mark.parametrize(
    ("points", "unit", "cut"),
    [((0.047, 0.055), "", True), ((50.0, 50.2), "%", False), ((0.5, 0.5), "", True)],
)
def test_long_whiskers_are_cut_in_every_unit(
    points: tuple[float, float], unit: str, cut: bool
) -> None:
    means = pd.Series(points)
    reach = 0.15 if unit == "" else 0.6
    with drawing() as (_, (ax,)):
        assert cut_whiskers(ax, means, means - reach, means + reach, unit=unit) is cut
        if cut:
            assert max(abs(end) for end in ax.get_ylim()) < 1.2 * means.abs().max()
