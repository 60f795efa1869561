"""Assembles the report of several runs from `analysis.questions.compare`.

Input: runs. Output: a `page.Page`. The first run is the baseline for the others.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd

from analysis.cards.card import P_VALUE, Column
from analysis.cards.deck import cards_of_runs
from analysis.pages import facts, page
from analysis.pages.cards import card_sections
from analysis.pages.compare_findings import compare_findings
from analysis.pages.page import Figure, Page, Section, Table
from analysis.plots.compare import draw_ranks, draw_scores
from analysis.questions import compare
from analysis.runs.networks import left_out_words
from analysis.runs.run import Run, RunError
from analysis.runs.scores import form_of, with_unit, words
from search.schema.metrics import Objective
from search.schema.wording import how_many

_TOP = 10  # shifts shown
_AGREED = (
    Column("first", "a"),
    Column("second", "b"),
    Column("no tau, because", "refused"),
    Column("networks", "networks", ","),
    Column("tau_b", "tau", ".3f"),
    Column("95 % low", "low", ".3f"),
    Column("95 % high", "high", ".3f"),
    Column("p, exact", "p_exact", P_VALUE),
    Column("trials in both, left out", "same", ","),
)
_NAMED = (Column("network", "name"), Column("params", "params", ","))
_RANKED = (
    *_NAMED,
    Column("rank in the first", "rank_a", "g"),
    Column("rank in the second", "rank_b", "g"),
    Column("shift of rank", "rank_shift", "+g"),
)
_ONLY_RANKS = (
    "so their scores are of different questions: the networks that both have are compared by "
    "rank only"
)


def compare_page(runs: Sequence[Run]) -> Page:
    """Assemble the comparison of two or more runs.

    Raises:
        RunError: a run has no completed network; or the runs have none in common and no card on
            several runs has an answer.
    """
    names, cards = compare.labels(runs), cards_of_runs(runs)
    try:
        sections_of_networks = list(_together(runs, names))
    except RunError as error:
        if all(card.refused for card in cards):
            raise
        sections_of_networks = [_apart(str(error))]
    sections = (
        sections_of_networks,
        list(card_sections(cards)),
        [_differences(runs)],
        [
            _made(run, name, number=i)
            for i, (run, name) in enumerate(zip(runs, names, strict=True))
        ],
    )
    return Page(
        title=f"Comparison of {', '.join(names)}",
        banner=_banner(runs),
        sections=(
            Section(name="question", title="What is compared", **_question(runs)),
            *(one for part in sections for one in part),
        ),
    )


def _apart(why: str) -> Section:
    return Section(
        name="conclusion",
        title="The conclusion",
        paragraphs=(f"Networks are not compared one by one: {why}.",),
    )


def _together(runs: Sequence[Run], names: Sequence[str]) -> Iterator[Section]:
    """Sections on the networks that the runs share.

    Raises:
        RunError: they have none in common.
    """
    in_all = comparison_table(runs)
    agreed = compare.agreement(runs)
    moved = [compare.shifts(runs[0], run) for run in runs[1:]]
    yield Section(
        name="conclusion",
        title="The conclusion",
        paragraphs=(
            *compare_findings(agreed, moved, runs[0].ranking, names=names),
            *left_out_words(*runs),
        ),
    )
    figures = (_figure(runs, number=number) for number in range(1, len(runs)))
    yield Section(name="figures", title="Figures", figures=tuple(figures))
    yield Section(
        name="networks",
        title="Networks that all have",
        tables=(in_all, _agreement(agreed)),
    )
    shifted = (
        table
        for number, one in enumerate(moved, 1)
        for table in _shifts(one, names, runs[0].ranking, number=number)
    )
    yield Section(name="shifts", title="Largest shifts", tables=tuple(shifted))


def comparison_table(runs: Sequence[Run]) -> Table:
    """Table of the networks that all runs have, with rank in each and, if comparable, score."""
    columns = [*_NAMED, Column("MACs", "macs", ",")]
    metric, same = runs[0].ranking, compare.comparable(runs)
    form = form_of(metric)
    for number, name in enumerate(compare.labels(runs)):
        if same:
            columns += [
                Column(f"{name}: seeds", f"seeds_{number}", ","),
                Column(f"{name}: {_short(metric)}", f"mean_{number}", form),
                Column("95 % low", f"low_{number}", form),
                Column("95 % high", f"high_{number}", form),
            ]
        columns.append(Column(f"{name}: rank", f"rank_{number}", "g"))
    shown = f"mean {words(metric)} over seeds with 95 % t-intervals, and ranks"
    return page.table(
        compare.common(runs),
        columns,
        name="common",
        caption="Networks that all runs have: "
        + (shown if same else "ranks by what each run ranks by; 1 is the best"),
        sortable=True,
    )


def _banner(runs: Sequence[Run]) -> str:
    names, pairs = compare.labels(runs), dict[str, list[str]]()
    for run, name in zip(runs[1:], names[1:], strict=True):  # each is shown beside the first
        pairs.setdefault(compare.why_not_comparable([runs[0], run]), []).append(
            f"{names[0]} and {name}"
        )
    said = [f"{', '.join(which)}: {why}, {_ONLY_RANKS}" for why, which in pairs.items() if why]
    for run, name in zip(runs, names, strict=True):
        if run.banner():
            said.append(f"{name}: {run.banner()}")
    return "; ".join(said)


def _question(runs: Sequence[Run]) -> dict[str, Any]:
    listed = zip(runs, compare.labels(runs), strict=True)
    ranked = dict.fromkeys(words(run.ranking) for run in runs)
    return {
        "paragraphs": (
            "Do these runs agree on the networks that they share? They are compared by what "
            f"the runs rank networks by ({', '.join(ranked)}): the mean over networks of the "
            "same name that were trained to their end in the search; the first run is the "
            "baseline.",
        ),
        "facts": tuple(
            (name, " - ".join([str(run.folder), *facts.question(run)[:1]]))
            for run, name in listed
        ),
    }


def _figure(runs: Sequence[Run], *, number: int) -> Figure:
    """Draw the networks that the first run and another one share, whatever the others have."""
    names, ranking = compare.labels(runs), runs[0].ranking
    pair, numbers, both = (names[0], names[number]), (0, 1), [runs[0], runs[number]]
    shared, same = compare.common(both), compare.comparable(both)
    columns = [*_NAMED, *(Column(f"rank in {pair[i]}", f"rank_{i}", "g") for i in numbers)]
    if same:
        drawing, what = (
            draw_scores(shared, ranking, numbers=numbers, names=pair),
            words(ranking),
        )
        whiskers = (
            "Whiskers are 95 % t-intervals over seeds, cut at the frame; one seed has none. "
            * bool(shared[["low_0", "low_1"]].notna().any(axis=None))
        )
        form = form_of(ranking)
        columns += [
            Column(f"{_short(ranking)} in {pair[i]}", f"mean_{i}", form) for i in numbers
        ]
    else:
        drawing, what = draw_ranks(shared, numbers=numbers, names=pair), "rank"
        whiskers = ""
    return page.figure(
        drawing,
        alt=f"Points: {what} in {pair[1]} against {what} in {pair[0]}, "
        f"{how_many(len(shared), 'network')}.",
        caption=f"The {what} of each network that both have, in {pair[1]} against {pair[0]}. "
        f"{whiskers}On the dashed line both are equal.",
        table=page.table(
            shared,
            columns,
            name=f"pair-{number}",
            caption=f"Networks in both {pair[0]} and {pair[1]}",
            sortable=True,
        ),
    )


def _shifts(
    moved: pd.DataFrame, names: Sequence[str], ranking: Objective, *, number: int
) -> list[Table]:
    pair = f"from {names[0]} (first) to {names[number]} (second)"
    tables = [
        page.table(
            moved.head(_TOP),
            _RANKED,
            name=f"ranks-{number}",
            caption=f"Largest shifts of rank {pair}",
        )
    ]
    if "difference" in moved:
        order = moved["difference"].abs().sort_values(ascending=False, kind="stable").index
        form, signed = form_of(ranking), form_of(ranking, "+")
        columns = (
            *_NAMED,
            Column("compared by", "by"),
            Column(f"{_short(ranking)} in the first", "mean_a", form),
            Column(f"{_short(ranking)} in the second", "mean_b", form),
            Column("difference (second minus first)", "difference", signed),
            Column("95 % low, all at once", "low", signed),
            Column("95 % high, all at once", "high", signed),
            Column("p", "p", P_VALUE),
            Column("p, all at once", "p_all", P_VALUE),
        )
        tables.append(
            page.table(
                moved.loc[order].head(_TOP),
                columns,
                name=f"scores-{number}",
                caption=f"Largest shifts of {words(ranking)} {pair}, second minus first; "
                "intervals and p corrected over all common networks by Bonferroni, "
                "without trials that both runs contain",
            )
        )
    return tables


def _short(ranking: Objective) -> str:
    return with_unit(ranking.label, ranking.unit)


def _agreement(agreed: pd.DataFrame) -> Table:
    empty = {key for key in ("refused", "same") if not agreed[key].astype(bool).any()}
    return page.table(
        agreed,
        [column for column in _AGREED if column.key not in empty],
        name="agreement",
        caption="Kendall's tau_b of what each two runs rank networks by, with its interval "
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


def _made(run: Run, name: str, *, number: int) -> Section:
    return Section(
        name=f"run-{number}",
        title=f"{name}: cost and origin",
        facts=(*facts.cost(run), *facts.provenance(run)),
        texts=(
            (
                "All of it, defaults filled in (from the manifest)",
                facts.as_yaml(run.plan.model_dump(mode="json")),
            ),
        ),
    )
