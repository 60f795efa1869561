"""Runs beside each other: shared networks, ranks, shifts, and what they may not say."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from analysis.pages.compare_page import compare_page
from analysis.pages.page import render
from analysis.plots.compare import draw_ranks, draw_scores
from analysis.questions.compare import (
    agreement,
    common,
    comparable,
    differences,
    labels,
    shifts,
    why_not_comparable,
)
from analysis.report import main
from analysis.runs.run import Run, RunError, read_run
from search.schema.seals import sealed_document
from search.study.events import Status
from tests.analysis.made import Parsed, made, network, parsed

# Validation errors by width, each of seeds 1 to 3.
FIRST = {
    1: [30.0, 31.0, 33.0], 2: [40.0, 41.5, 43.0], 3: [50.0, 52.0, 51.0],
    4: [60.0, 61.0, 60.5], 5: [70.0, 75.0, 71.0],
}  # fmt: skip
SECOND = {
    1: [28.0, 30.0, 30.0], 2: [55.0, 54.0, 56.5], 3: [45.0, 45.5, 44.0],
    4: [60.5, 61.5, 60.0], 6: [20.0, 21.0, 22.0],
}  # fmt: skip


def run_of(folder: Path, errors: dict[int, list[float]], *overrides: str, **more: Any) -> Run:
    seeds = more.pop("seeds", (1, 2, 3))
    rows = [
        {"network": network(width), "seed": seed, "repeat": i, "curve": [error],
         "val_error": error, "test_error": error + 1}
        for width, values in errors.items()
        for i, (seed, error) in enumerate(zip(seeds, values, strict=False))
    ]  # fmt: skip
    return made(folder, rows, "search.trials=5", "search.seeds=3", *overrides, **more)


@pytest.fixture
def pair(tmp_path: Path) -> list[Run]:
    first = run_of(tmp_path / "a", FIRST)
    return [first, run_of(tmp_path / "b", SECOND, "training.epochs=1")]


def test_shared_networks_have_their_means_and_ranks(pair: list[Run]) -> None:
    table = common(pair).set_index("name")
    assert set(table.index) == {network(width).name for width in (1, 2, 3, 4)}
    for place, errors in enumerate((FIRST, SECOND)):
        means = {width: float(np.mean(errors[width])) for width in (1, 2, 3, 4)}
        ranks = dict(zip(means, stats.rankdata(list(means.values())), strict=True))
        for width, mean in means.items():
            row = table.loc[network(width).name]
            low, high = stats.t.interval(
                0.95, 2, loc=mean, scale=stats.sem(np.array(errors[width]))
            )
            assert row[f"mean_{place}"] == pytest.approx(mean)
            assert [row[f"low_{place}"], row[f"high_{place}"]] == pytest.approx([low, high])
            assert row[f"rank_{place}"] == ranks[width]
            assert row[f"seeds_{place}"] == 3


def test_agreement_is_scipys_tau(pair: list[Run]) -> None:
    row = agreement(pair).iloc[0]
    means = [[np.mean(errors[width]) for width in (1, 2, 3, 4)] for errors in (FIRST, SECOND)]
    assert row["tau"] == pytest.approx(stats.kendalltau(*means).statistic)
    assert (row["networks"], row["refused"]) == (4, "")
    assert np.isnan(row["low"]), "four networks are too few for an interval"
    assert row["p_exact"] == pytest.approx(stats.kendalltau(*means, method="exact").pvalue)


@pytest.mark.slow
@settings(max_examples=15, deadline=None)
@given(st.permutations(range(6)))
def test_tau_is_of_the_orders_alone(tmp_path_factory: Any, order: list[int]) -> None:
    folder = tmp_path_factory.mktemp("runs")
    errors = [
        {width + 1: [float(rank)] for width, rank in enumerate(o)} for o in (range(6), order)
    ]
    runs = [
        run_of(folder / str(i), one, "search.trials=6", "search.seeds=1", seeds=(i,))
        for i, one in enumerate(errors)
    ]
    discordant = sum(a > b for i, a in enumerate(order) for b in order[i + 1 :])
    assert agreement(runs)["tau"].iloc[0] == pytest.approx(1 - 4 * discordant / 30)


def test_too_few_and_constant_are_refused_with_the_reason(tmp_path: Path) -> None:
    three = {1: [3.0], 2: [4.0], 3: [9.0]}
    few = [run_of(tmp_path / str(i), three, seeds=(i,)) for i in range(2)]
    row = agreement(few).iloc[0]
    assert np.isnan(row["tau"])
    assert row["refused"] == "3 common networks are fewer than 4"
    flat = [run_of(tmp_path / "flat", {width: [7.0] for width in range(1, 5)}), *few[:1]]
    flat[1] = run_of(tmp_path / "steep", {width: [float(width)] for width in range(1, 5)})
    assert "there is no order" in agreement(flat)["refused"].iloc[0]


def test_shifts_are_paired_by_seed_as_scipy_does(pair: list[Run]) -> None:
    table = shifts(*pair).set_index("name")
    p = {}
    for width in (1, 2, 3, 4):
        row, name = table.loc[network(width).name], network(width).name
        tested = stats.ttest_rel(SECOND[width], FIRST[width])
        p[name] = tested.pvalue
        assert row["by"] == "paired"
        assert row["difference"] == pytest.approx(
            np.mean(SECOND[width]) - np.mean(FIRST[width])
        )
        assert row["p"] == pytest.approx(tested.pvalue)
        interval = tested.confidence_interval(1 - 0.05 / 4)  # four networks at once
        assert [row["low"], row["high"]] == pytest.approx([interval.low, interval.high])
        assert row["rank_shift"] == row["rank_b"] - row["rank_a"]
    assert table["p_all"].to_dict() == pytest.approx(
        {name: min(4 * value, 1) for name, value in p.items()}
    )
    moved = table["rank_shift"].abs().tolist()
    assert all(a >= b for a, b in pairwise(moved))


def test_other_seeds_are_compared_by_welch(tmp_path: Path) -> None:
    first = run_of(tmp_path / "a", FIRST)
    second = run_of(tmp_path / "b", SECOND, seeds=(7, 8, 9))
    row = shifts(first, second).set_index("name").loc[network(1).name]
    assert row["by"] == "Welch"
    expected = stats.ttest_ind(SECOND[1], FIRST[1], equal_var=False)
    assert row["p"] == pytest.approx(expected.pvalue)
    interval = expected.confidence_interval(1 - 0.05 / 4)
    assert [row["low"], row["high"]] == pytest.approx([interval.low, interval.high])


def test_one_seed_has_a_difference_and_no_p(tmp_path: Path) -> None:
    runs = [
        run_of(
            tmp_path / str(i),
            {w: errors[w][:1] for w in (1, 2, 3, 4)},
            "search.seeds=1",
            "search.trials=4",
        )
        for i, errors in enumerate((FIRST, SECOND))
    ]
    table = shifts(*runs)
    assert table["difference"].notna().all()
    assert table[["low", "high", "p", "p_all"]].isna().all(axis=None)
    page = parsed(compare_page, runs)
    assert "too few seeds for an interval" in page.text["conclusion"]


def test_what_differs_is_listed_and_nothing_else(pair: list[Run]) -> None:
    table = differences(pair)
    assert dict(zip(table["setting"], zip(table["value_0"], table["value_1"], strict=True),
                    strict=True)) == {"training.epochs": ("3", "1")}  # fmt: skip
    assert differences([pair[0], pair[0]]).empty


def test_few_networks_have_an_exact_p_in_words(pair: list[Run]) -> None:
    p = agreement(pair).iloc[0]["p_exact"]
    text = " ".join(parsed(compare_page, pair).text.values())
    assert f"(p {p:.3f}, exact: too few networks for an interval)" in text


def test_the_page_shows_what_the_tables_say(pair: list[Run]) -> None:
    page = Parsed(render(compare_page(pair)))
    table = page.tables["common"]
    assert len(table) == 5
    assert [row[0] for row in table[1:]] == common(pair)["name"].tolist()
    errors = page.tables["scores-1"]
    assert errors[1][0] == network(2).name  # +13.67 points, the largest
    assert errors[1][5] == "+13.67"
    assert page.tables["differing"][1] == ["training.epochs", "3", "1"]
    assert "tau_b 0.67" in page.text["conclusion"]


def test_different_data_shows_ranks_and_never_a_difference_of_errors(tmp_path: Path) -> None:
    first = run_of(tmp_path / "a", FIRST)
    second = run_of(tmp_path / "b", SECOND, "data.validation=32")
    assert not comparable([first, second])
    assert "difference" not in shifts(first, second)
    page = parsed(compare_page, [first, second])
    assert "saw different images" in page.text[""]
    titles = {title for rows in page.tables.values() for title in rows[0]}
    assert not [title for title in titles if "error" in title or "difference" in title]
    assert "the networks that both have are compared by rank only" in page.text[""]
    assert "scores-1" not in page.tables
    cells = {cell for rows in page.tables.values() for row in rows for cell in row}
    means = {f"{np.mean(e[w]):.2f}" for e in (FIRST, SECOND) for w in (1, 2, 3, 4)}
    assert not cells & means
    assert (
        main([str(tmp_path / "a"), str(tmp_path / "b"), "--out", str(tmp_path / "c.html")]) == 0
    )


def test_other_metrics_show_ranks_only(tmp_path: Path) -> None:
    """A metric that is to be large ranks the other way round, and no difference is taken."""
    first = run_of(tmp_path / "a", FIRST)
    rows = [
        {"network": network(width), "seed": i, "repeat": i, "metrics": {"val_score": -value}}
        for width, values in FIRST.items()
        for i, value in enumerate(values)
    ]
    chosen = ("search.trials=5", "search.seeds=3", "task=tests.analysis.foreign:Scored")
    second = made(tmp_path / "b", rows, *chosen)
    assert why_not_comparable([first, second]) == "the runs rank networks by different metrics"
    table = shifts(first, second)
    assert "difference" not in table
    assert table["rank_shift"].eq(0).all()
    assert agreement([first, second])["tau"].iloc[0] == pytest.approx(1)
    page = Parsed(render(compare_page([first, second])))
    assert "rank networks by different metrics, so their scores" in page.text[""]


def test_images_left_out_make_other_data(tmp_path: Path) -> None:
    first = run_of(tmp_path / "a", FIRST)
    second = run_of(tmp_path / "b", FIRST, left_out=["x.jpg"])
    assert not comparable([first, second])


def test_no_network_in_common_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, widths in (("a", (1, 2)), ("b", (3, 4))):
        run_of(tmp_path / name, {width: FIRST[width] for width in widths})
    assert main([str(tmp_path / "a"), str(tmp_path / "b")]) == 2
    assert "have no network in common (by name)" in capsys.readouterr().err


def test_a_run_of_failures_cannot_be_compared(tmp_path: Path) -> None:
    good = run_of(tmp_path / "a", FIRST)
    failed = made(tmp_path / "b", [{"network": network(1), "status": Status.DIVERGED}])
    with pytest.raises(RunError, match="no network was trained to its end"):
        common([good, failed])


def test_equal_scores_are_not_called_too_few_seeds(tmp_path: Path) -> None:
    equal = {w: [30.0] * 3 for w in range(1, 6)}
    runs = [run_of(tmp_path / "a", equal), run_of(tmp_path / "b", equal, seeds=(4, 5, 6))]
    said = parsed(compare_page, runs).text["conclusion"]
    assert "is not shown: scores do not vary between seeds" in said
    assert "too few seeds" not in said


def test_one_is_not_written_as_many(tmp_path: Path) -> None:
    some = {w: [30.0 + w, 30.5 + w, 31.2 + w] for w in range(1, 6)}
    other = {1: [80.0, 80.4, 80.2]} | {w: [1.0, 1.1, 1.4] for w in range(7, 11)}
    runs = [run_of(tmp_path / "a", some), run_of(tmp_path / "b", other, seeds=(4, 5, 6))]
    said = parsed(compare_page, runs).text["conclusion"]
    assert "1 common network is fewer than 4" in said
    assert "1 of 1 network differs clearly" in said
    assert "1 is higher in" in said
    assert (
        run_of(tmp_path / "c", {1: [3.0]})
        .described()
        .startswith("**tiny**: 1 network, 1 seed,")
    )


def test_what_lost_a_seed_is_not_compared(tmp_path: Path, pair: list[Run]) -> None:
    rows = [
        {"network": network(w), "seed": s, "repeat": s - 1, "val_error": 30.0 + w + s / 7}
        for w in (1, 2, 3, 4)
        for s in (1, 2, 3)
    ]
    rows[0] = {"network": network(1), "seed": 1, "status": Status.FAILED}
    run = made(tmp_path / "lost", rows, "search.trials=4", "search.seeds=3")
    names = {network(w).name for w in (2, 3, 4)}
    assert {*common([pair[0], run])["name"]} == names
    moved = shifts(pair[0], run)
    np.testing.assert_allclose(moved["p_all"], np.minimum(moved["p"] * 3, 1))
    said = parsed(compare_page, [pair[0], run]).text["conclusion"]
    assert "1 network that lost a seed is left out of tiny: the mean of the seeds" in said
    none = made(tmp_path / "all", rows[:3], "search.trials=1", "search.seeds=3")
    with pytest.raises(RunError, match="every network lost a seed, and what is left"):
        common([pair[0], none])


@pytest.mark.parametrize("how", ["unfinished", "added"])
def test_what_may_be_looked_at_again_is_not_tested(
    tmp_path: Path, pair: list[Run], how: str
) -> None:
    if how == "unfinished":
        other = run_of(tmp_path / "b", SECOND, "search.trials=6", seeds=(4, 5, 6))
        why = "not all trials of tiny have ended, and a test at each look"
    else:
        other = run_of(tmp_path / "b", SECOND, seeds=(4, 5, 6))
        path = other.folder / "manifest.json"
        noted = json.loads(path.read_text())
        noted["starts"] = [noted["starts"][0] | {"seeds": 2}, *noted["starts"]]
        path.write_text(sealed_document(noted))
        other = read_run(other.folder)
        why = "seeds of tiny were added after a look"
    moved = shifts(pair[0], other)
    assert why in moved.attrs["untested"].replace(other.name, "tiny")
    assert moved[["p", "p_all", "low", "high"]].isna().all(axis=None)
    said = Parsed(render(compare_page([pair[0], other]))).text["conclusion"]
    assert "Nothing is tested between" in said
    assert "differs clearly" not in said


def test_three_runs(tmp_path: Path, pair: list[Run]) -> None:
    third = run_of(tmp_path / "third", FIRST, "data.validation=32", seeds=(7, 8, 9))
    runs = [*pair, third]
    assert labels(runs) == ["a", "b", "third"]
    table = agreement(runs)
    assert table["networks"].tolist() == [4, 5, 4]
    assert table.loc[1, "tau"] == pytest.approx(1)
    page = parsed(compare_page, runs)
    assert {"scores-1", "pair-1", "pair-2"} <= page.tables.keys()
    assert "scores-2" not in page.tables, "the third saw other images than the first"
    assert "a and third: the runs saw different images, so their scores" in page.text[""]
    assert "a and b" not in page.text[""], "whose scores are compared"
    shown = [page.tables[name] for name in ("common", "pair-1", "pair-2")]
    assert [len(rows) - 1 for rows in shown] == [4, 4, 5], "a pair shares more than all do"
    assert "of 5 changes" in page.text["conclusion"]


def test_labels_name_runs_apart(tmp_path: Path) -> None:
    runs = [made(tmp_path / way / "x", [{"network": network(1)}]) for way in ("a", "b")]
    assert labels(runs) == [str(run.folder) for run in runs]
    assert labels(runs[:1]) == ["tiny"]


def test_the_figures_hold_the_points(pair: list[Run]) -> None:
    shared = common(pair)
    names = ("$a$", "b")  # a folder may be called so; it is no formula
    axes = draw_scores(shared, pair[0].ranking, numbers=(0, 1), names=names).axes[0]
    points = axes.lines[0].get_xydata()
    assert points == pytest.approx(shared[["mean_0", "mean_1"]].to_numpy())
    assert "$a$" in axes.get_xlabel()
    ranks = draw_ranks(shared, numbers=(0, 1), names=names).axes[0]
    drawn = ranks.collections[0].get_offsets()
    assert np.asarray(drawn) == pytest.approx(shared[["rank_0", "rank_1"]].to_numpy())


def test_latex_and_markdown_of_a_comparison(
    pair: list[Run], capsys: pytest.CaptureFixture[str]
) -> None:
    folders = [str(run.folder) for run in pair]
    assert main([*folders, "--markdown"]) == 0
    text = capsys.readouterr().out
    assert text.count("\n| ") == 6
    assert "| a: val error (%) |" in text
