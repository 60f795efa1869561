"""What is drawn of the front are the points of its table, on the axes of the study."""

from pathlib import Path

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection

from analysis.plots.pareto import draw_pareto
from analysis.runs.networks import by_network
from analysis.runs.run import Run
from search.study.events import Status
from tests.analysis.made import made, network

ROWS = [
    {"network": network(1), "val_error": 70.0},
    {"network": network(2), "val_error": 60.0, "status": Status.PRUNED},
    {"network": network(3), "val_error": 50.0},
]
SCORES = [
    {"network": network(width), "metrics": {"val_score": score, "val_time": 1.0}}
    for width, score in ((1, 0.4), (2, 0.7), (3, 0.6))
]


def drawn(run: Run) -> Axes:
    return draw_pareto(by_network(run), run.compared, title="demo").axes[0]


def points(axes: Axes) -> set[tuple[float, float]]:
    return {
        (round(float(x), 6), round(float(y), 6))
        for collection in axes.collections
        for x, y in np.asarray(collection.get_offsets())
    }


def test_accuracy_against_multiply_adds(tmp_path: Path) -> None:
    run = made(tmp_path, ROWS)
    axes, macs = drawn(run), run.trials["macs"] / 1e3
    assert points(axes) == {
        (round(x, 6), y) for x, y in zip(macs, (30.0, 40.0, 50.0), strict=True)
    }
    assert axes.get_xlabel() == "multiply-adds per image (K)"
    assert axes.get_ylabel() == "validation accuracy (%)"
    steps = [line for line in axes.lines if line.get_label() == "Pareto front"]
    assert np.asarray(steps[0].get_ydata()).tolist() == [30.0, 50.0]


def test_the_study_s_own_cost_is_the_axis(tmp_path: Path) -> None:
    run = made(tmp_path, ROWS, "search.objectives=[val_error, params]")
    axes = drawn(run)
    assert axes.get_xlabel() == "parameters (K)"
    assert {x for x, _ in points(axes)} == {
        round(params / 1e3, 6) for params in run.trials["params"]
    }


def test_a_metric_that_is_no_error_is_drawn_as_it_is(tmp_path: Path) -> None:
    run = made(tmp_path, SCORES, "task=tests.analysis.foreign:Scored")
    axes = drawn(run)
    assert axes.get_ylabel() == "validation score"
    assert {y for _, y in points(axes)} == {0.4, 0.7, 0.6}
    assert axes.texts[0].get_text() == network(2).name, "the best is the largest"


def test_a_front_of_other_objectives_is_ringed(tmp_path: Path) -> None:
    chosen = ("task=tests.analysis.foreign:Scored", "search.objectives=[val_score, val_time]")
    axes = drawn(made(tmp_path, SCORES, *chosen))
    assert axes.get_xlabel() == "multiply-adds per image (K)"
    assert not [line for line in axes.lines if line.get_label() == "Pareto front"]
    rings = [one for one in axes.collections if one.get_label() == "Pareto front"]
    assert np.asarray(rings[0].get_offsets())[:, 1].tolist() == [0.7]


@pytest.mark.parametrize("rows", [[], [{"network": network(1), "status": None}]])
def test_a_run_without_results_is_drawn_and_says_so(
    rows: list[dict[str, object]], tmp_path: Path
) -> None:
    run = made(tmp_path, rows)
    assert drawn(run).texts[0].get_text() == "no trial has a validation error"
    assert run.epochs.empty


CONFIRMED = [
    *({"network": network(1), "repeat": i, "val_error": e} for i, e in enumerate((30, 32, 34))),
    *({"network": network(2), "repeat": i, "val_error": e} for i, e in enumerate((50, 51, 55))),
    *(
        {"network": network(1), "phase": "confirm", "repeat": i, "val_error": e}
        for i, e in enumerate((33, 35))
    ),
]


def said_in(axes: Axes) -> list[str]:
    """The legend, from the top."""
    legend = axes.get_legend()
    return [text.get_text() for text in legend.get_texts()] if legend else []


def whiskers(axes: Axes) -> set[tuple[float, float]]:
    return {
        (round(float(segment[0, 1]), 3), round(float(segment[1, 1]), 3))
        for collection in axes.collections
        if isinstance(collection, LineCollection)
        for segment in collection.get_segments()
    }


def test_what_was_confirmed_is_marked_with_how_far_it_moved(tmp_path: Path) -> None:
    axes = drawn(made(tmp_path, CONFIRMED))
    (diamonds,) = [line for line in axes.lines if line.get_marker() == "D"]
    assert np.asarray(diamonds.get_ydata()).tolist() == [66.0], "100 less the mean of 33 and 35"
    assert "-2.00" in [text.get_text() for text in axes.texts], "it was 68 with its old seeds"
    assert "confirmed with 2 fresh seeds\nof 3 epochs, and the change" in said_in(axes)


def test_a_confirmation_that_moved_far_is_inside_the_axes(tmp_path: Path) -> None:
    rows = [
        {"network": network(1), "val_error": 10.0},
        {"network": network(1), "phase": "confirm", "val_error": 70.0},
    ]
    low, high = drawn(made(tmp_path, rows)).get_ylim()
    assert low < 30
    assert high > 90


def test_nothing_is_said_of_confirmations_and_seeds_where_there_are_none(
    tmp_path: Path,
) -> None:
    said = " ".join(said_in(drawn(made(tmp_path, ROWS))))
    assert "confirmed" not in said
    assert "interval" not in said


def test_seeds_have_whiskers(tmp_path: Path) -> None:
    # t of 2 and 1 degrees of freedom from a printed table: 4.303 and 12.706.
    expected = set()
    for errors, t in (((30, 32, 34), 4.303), ((50, 51, 55), 4.303), ((33, 35), 12.706)):
        mean = 100 - np.mean(errors)
        half = t * np.std(errors, ddof=1) / np.sqrt(len(errors))
        expected.add((mean - half, mean + half))
    axes = drawn(made(tmp_path, CONFIRMED))
    found = sorted(whiskers(axes))
    assert found == [pytest.approx(one, abs=0.01) for one in sorted(expected)]
    assert any(text.startswith("95 % interval over seeds") for text in said_in(axes))


def test_a_bar_is_as_long_as_two_standard_deviations_of_a_seed(tmp_path: Path) -> None:
    axes = drawn(made(tmp_path, CONFIRMED))
    # Of the search alone: 30, 32, 34 and 50, 51, 55 leave 4 degrees of freedom.
    noise = ((4 + 0 + 4 + 4 + 1 + 9) / 4) ** 0.5
    (bar,) = [line for line in axes.lines if "standard deviation" in str(line.get_label())]
    ends = np.asarray(bar.get_ydata())
    assert ends[1] - ends[0] == pytest.approx(2 * noise)
    assert axes.get_ylim()[0] <= ends[0]
    assert f"+-1 standard deviation\nof a seed: {noise:.3g} points" in said_in(axes)
    alone = said_in(drawn(made(tmp_path / "alone", ROWS)))
    assert "one seed each: noise unknown" in alone


def test_deeper_networks_are_larger_and_the_legend_says_so(tmp_path: Path) -> None:
    rows = [
        {"network": network(2, depth=depth), "val_error": 50.0 + depth}
        for depth in (11, 20, 29, 38)
    ]
    axes = drawn(made(tmp_path, rows))
    (dots,) = [one for one in axes.collections if len(np.asarray(one.get_sizes())) == 4]
    sizes = dict(zip(np.asarray(dots.get_offsets())[:, 1], dots.get_sizes(), strict=True))
    assert [sizes[50.0 - depth] for depth in (11, 20, 29, 38)] == sorted(sizes.values())
    assert len({*sizes.values()}) == 4
    said = said_in(axes)
    start = said.index("depth (size)") + 1
    assert said[start : start + 3] == ["11 layers", "20 layers", "38 layers"]
    assert "depth (size)" not in said_in(drawn(made(tmp_path / "one", ROWS)))


def test_whiskers_do_not_squeeze_the_points(tmp_path: Path) -> None:
    rows = [
        {"network": network(width), "repeat": i, "val_error": error}
        for width, errors in ((1, (40, 60)), (2, (45, 57)))
        for i, error in enumerate(errors)
    ]
    axes = drawn(made(tmp_path, rows))
    low, high = axes.get_ylim()
    assert high - low < 10, "the points lie within one point of accuracy, the whiskers in 254"
    assert "95 % interval over seeds\n(cut where it leaves the axes)" in said_in(axes)


@pytest.mark.parametrize(
    ("title", "changes", "values"),
    [
        ("scale", [{"scale": 3}, {"scale": 7}], ["3", "7"]),
        ("scale", [{"scale": 2}], ["2"]),
        ("mean scale of the stages", [{"scale": (1, 2, 4)}, {"scale": 8}], ["2.33", "8"]),
        ("cardinality", [{"cardinality": 6}, {"cardinality": 2}], ["2", "6"]),
        ("cardinality", [{"cardinality": (1, 1, 2)}, {"cardinality": 16}], ["16", "1.1.2"]),
        ("scale", [{"scale": scale} for scale in range(1, 31)], None),
        ("cardinality", [{"cardinality": card} for card in range(1, 31)], None),
    ],
)
def test_the_legend_shows_only_values_that_are_in_the_plot(
    title: str,
    changes: list[dict[str, object]],
    values: list[str] | None,
    tmp_path: Path,
) -> None:
    rows = [
        {"network": network(2, **change), "val_error": 50.0 + i}
        for i, change in enumerate(changes)
    ]
    said = said_in(drawn(made(tmp_path, rows)))
    entries = said[said.index(title) + 1 :]
    shown = [text for text in entries if text.replace(".", "").isdecimal()]
    if values is None:
        assert 5 <= len(said) <= 25, "a legend can be read"
        assert {int(text) for text in shown} <= set(range(1, 31))
    else:
        own = 1 + ("scale" in title)  # the other dimension has one value
        assert shown[: len(values)] == values
        assert len(shown) == len(values) + own - 1


def test_the_search_s_own_networks_keep_their_means(tmp_path: Path) -> None:
    """A confirmation is shown beside them, not mixed in."""
    points = by_network(made(tmp_path, CONFIRMED)).set_index("name")
    assert points["val_error_pct"].to_dict() == {network(1).name: 32.0, network(2).name: 52.0}
    assert points["confirmed"].dropna().to_dict() == {network(1).name: 34.0}
    assert points["confirmed_seeds"].dropna().tolist() == [2.0]
