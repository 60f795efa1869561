"""The report of several runs beside each other, put together from `analysis.questions.compare`.

Go in: runs. Comes out: a `page.Page`. The first run is the one that the others are counted
from.
"""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from analysis.pages import facts, page
from analysis.pages.page import Column, Figure, Page, Section, Table
from analysis.plots.compare import draw_errors, draw_ranks
from analysis.questions import compare
from analysis.runs.run import Run

_TOP = 10  # shifts that are shown
_SIGNIFICANT = 0.05
_AGREED = (
    Column("first", "a"),
    Column("second", "b"),
    Column("no tau, because", "refused"),
    Column("networks", "networks", ","),
    Column("tau_b", "tau", ".3f"),
    Column("95 % low", "low", ".3f"),
    Column("95 % high", "high", ".3f"),
)
_NAMED = (Column("network", "name"), Column("params", "params", ","))
_RANKED = (
    *_NAMED,
    Column("rank in the first", "rank_a", "g"),
    Column("rank in the second", "rank_b", "g"),
    Column("shift of rank", "rank_shift", "+g"),
)
_MOVED = (
    *_NAMED,
    Column("compared by", "by"),
    Column("error in the first (%)", "error_a", ".2f"),
    Column("error in the second (%)", "error_b", ".2f"),
    Column("difference (points)", "difference", "+.2f"),
    Column("95 % low", "low", "+.2f"),
    Column("95 % high", "high", "+.2f"),
    Column("p", "p", ".4f"),
    Column("p after Holm", "p_holm", ".4f"),
)
_OTHER_IMAGES = (
    "the runs saw different images, so their errors are of different questions: only ranks are "
    "compared, and no difference of errors is shown"
)


def compare_page(runs: Sequence[Run]) -> Page:
    """Put the comparison of two runs or more together.

    Raises:
        RunError: they have no network in common, or one has none that was trained whole.
    """
    names = compare.labels(runs)
    shared, agreed = compare.common(runs), compare.agreement(runs)
    moved = [compare.shifts(runs[0], run) for run in runs[1:]]
    figures = [_figure(runs, shared, place=place) for place in range(1, len(runs))]
    shifted = [
        table
        for place, one in enumerate(moved, 1)
        for table in _shifts(one, names, place=place)
    ]
    return Page(
        title=f"Comparison of {', '.join(names)}",
        banner=_banner(runs),
        sections=(
            Section(name="question", title="What is compared", **_question(runs)),
            Section(
                name="conclusion",
                title="The conclusion",
                paragraphs=tuple(_conclusion(agreed, moved, names=names)),
            ),
            Section(name="figures", title="Figures", figures=tuple(figures)),
            Section(
                name="networks",
                title="Networks that all have",
                tables=(comparison_table(runs), _agreement(agreed)),
            ),
            Section(name="shifts", title="Largest shifts", tables=tuple(shifted)),
            _differences(runs),
            *(
                _made(run, name, place=i)
                for i, (run, name) in enumerate(zip(runs, names, strict=True))
            ),
        ),
    )


def comparison_table(runs: Sequence[Run]) -> Table:
    """The networks that all runs have: error and rank in each; ranks only of other images."""
    columns = [*_NAMED, Column("MACs", "macs", ",")]
    for place, name in enumerate(compare.labels(runs)):
        if compare.same_data(runs):
            columns += [
                Column(f"{name}: seeds", f"seeds_{place}", ","),
                Column(f"{name}: error (%)", f"mean_{place}", ".2f"),
                Column("95 % low", f"low_{place}", ".2f"),
                Column("95 % high", f"high_{place}", ".2f"),
            ]
        columns.append(Column(f"{name}: rank", f"rank_{place}", "g"))
    shown = "mean validation errors over seeds with 95 % t-intervals, and ranks"
    return page.table(
        compare.common(runs),
        columns,
        name="common",
        caption="Networks that all runs have: "
        + (shown if compare.same_data(runs) else "ranks by validation error; 1 is the lowest"),
        sortable=True,
    )


def _banner(runs: Sequence[Run]) -> str:
    parts = [] if compare.same_data(runs) else [_OTHER_IMAGES]
    for run, name in zip(runs, compare.labels(runs), strict=True):
        if run.banner():
            parts.append(f"{name}: {run.banner()}")
    return "; ".join(parts)


def _question(runs: Sequence[Run]) -> dict[str, Any]:
    listed = zip(runs, compare.labels(runs), strict=True)
    return {
        "paragraphs": (
            "Do these runs say the same of the networks that they share? Compared are mean "
            "validation errors of networks of the same name that were trained to their end in "
            "the search; the first run is what the others are counted from.",
        ),
        "facts": tuple(
            (name, " - ".join([str(run.folder), *facts.question(run)[:1]]))
            for run, name in listed
        ),
    }


def _conclusion(
    agreed: pd.DataFrame, moved: Sequence[pd.DataFrame], *, names: Sequence[str]
) -> list[str]:
    said = [_agrees(row) for row in agreed.to_dict("records")]
    for name, one in zip(names[1:], moved, strict=True):
        most = one.iloc[0]
        said.append(
            f"From {names[0]} to {name} the rank that moves most is that of {most['name']}: "
            f"{most['rank_a']:g} to {most['rank_b']:g} of {len(one):,}."
            if most["rank_shift"]
            else f"From {names[0]} to {name} no rank of {len(one):,} moves."
        )
        if "difference" in one:
            said.append(_differ(one, (names[0], name)))
    return said


def _agrees(row: dict[Any, Any]) -> str:
    pair = f"{row['a']} and {row['b']}"
    if row["refused"]:
        return f"How far {pair} agree on ranks is not said: {row['refused']}."
    by = f"{pair} rank their {row['networks']:,} common networks with Kendall's tau_b "
    if pd.isna(row["low"]):
        return f"{by}{row['tau']:.2f}, of which there is no interval."
    ends = f"(95 % interval {row['low']:.2f} to {row['high']:.2f})"
    if row["low"] <= 0 <= row["high"]:
        return f"{by}{row['tau']:.2f} {ends}: the data do not show that they agree."
    alike = "they agree more" if row["low"] > 0 else "they agree less"
    return f"{by}{row['tau']:.2f} {ends}: {alike} than orders by chance would."


def _differ(one: pd.DataFrame, names: tuple[str, str]) -> str:
    first, second = names
    tested = one["p_holm"].notna()
    if not tested.any():
        return (
            f"Whether any error differs between {first} and {second} is not shown: there are "
            "too few seeds for an interval."
        )
    clear = one[one["p_holm"] < _SIGNIFICANT]
    up = int((clear["difference"] > 0).sum())
    return (
        f"Errors of {len(clear):,} of {int(tested.sum()):,} networks differ clearly between "
        f"{first} and {second} (p below {_SIGNIFICANT} after Holm): {up:,} are higher in "
        f"{second}, {len(clear) - up:,} lower."
    )


def _figure(runs: Sequence[Run], shared: pd.DataFrame, *, place: int) -> Figure:
    names = compare.labels(runs)
    pair = (names[0], names[place])
    same = compare.same_data([runs[0], runs[place]])
    draw, what = (draw_errors, "error") if same else (draw_ranks, "rank")
    line = "On the dashed line both are equal."
    whiskers = (
        "Whiskers are 95 % t-intervals over seeds, cut at the frame; one seed has none. "
        if same
        else ""
    )
    columns = [
        *_NAMED,
        *(Column(f"rank in {names[i]}", f"rank_{i}", "g") for i in (0, place)),
    ]
    if same:
        columns += [Column(f"error in {names[i]} (%)", f"mean_{i}", ".2f") for i in (0, place)]
    return page.figure(
        draw(shared, places=(0, place), names=pair),
        alt=f"Points: {what} in {pair[1]} against {what} in {pair[0]}, {len(shared):,} "
        "networks.",
        caption=f"Validation {what} of each common network in {pair[1]} against {pair[0]}. "
        f"{whiskers}{line}",
        table=page.table(
            shared,
            columns,
            name=f"pair-{place}",
            caption=f"Networks in {pair[0]} and {pair[1]}",
            sortable=True,
        ),
    )


def _shifts(moved: pd.DataFrame, names: Sequence[str], *, place: int) -> list[Table]:
    pair = f"from {names[0]} (first) to {names[place]} (second)"
    tables = [
        page.table(
            moved.head(_TOP),
            _RANKED,
            name=f"ranks-{place}",
            caption=f"Largest shifts of rank {pair}",
        )
    ]
    if "difference" in moved:
        order = moved["difference"].abs().sort_values(ascending=False, kind="stable").index
        tables.append(
            page.table(
                moved.loc[order].head(_TOP),
                _MOVED,
                name=f"errors-{place}",
                caption=f"Largest shifts of validation error {pair}, second less first; "
                "corrected over all common networks",
            )
        )
    return tables


def _agreement(agreed: pd.DataFrame) -> Table:
    refused = agreed["refused"].astype(bool).any()
    return page.table(
        agreed,
        [column for column in _AGREED if column.key != "refused" or refused],
        name="agreement",
        caption="Kendall's tau_b of the validation errors of each two runs, with its interval "
        "over networks",
    )


def _differences(runs: Sequence[Run]) -> Section:
    frame = compare.differences(runs)
    names = enumerate(compare.labels(runs))
    columns = [Column("setting", "setting"), *(Column(name, f"value_{i}") for i, name in names)]
    return Section(
        name="differences",
        title="What differs between the runs",
        paragraphs=() if len(frame) else ("Nothing that their manifests hold.",),
        tables=(
            page.table(
                frame, columns, name="differing", caption="Settings in which the runs differ"
            ),
        )
        if len(frame)
        else (),
    )


def _made(run: Run, name: str, *, place: int) -> Section:
    return Section(
        name=f"run-{place}",
        title=f"{name}: cost and origin",
        facts=(*facts.cost(run), *facts.provenance(run)),
        texts=(
            ("All of it, defaults filled in (from the manifest)", facts.as_yaml(run.config)),
        ),
    )
