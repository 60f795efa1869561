"""The card on what a dimension gains for small, medium and large objects."""

from collections.abc import Hashable, Iterator
from typing import Any

from analysis.cards.card import P_VALUE, Card, Column, Shown, reason
from analysis.plots.object_sizes import draw_object_sizes
from analysis.questions.equal_size import missing
from analysis.questions.equal_size_words import Said
from analysis.questions.object_sizes import GROWTH, Sized, by_object_size, sizes_of
from analysis.runs.run import Run, RunError
from analysis.runs.scores import capital, form_of
from analysis.statistics.intervals import SIGNIFICANT
from search.design.contrasts import ALIKE

_NAME = "object-sizes"
_QUESTION = "Do larger objects gain more at equal multiply-adds?"


def object_sizes_card(run: Run) -> Card:
    """Show gains of a dimension by object size, and how much they grow with it."""
    try:
        found = by_object_size(run)
    except RunError as error:
        return Card(name=_NAME, question=_QUESTION, refused=reason(error, run.folder))
    said = tuple(_said(run, found))
    sentences = tuple(one.text for one in said)
    first = next(iter(sizes_of(run).values()))
    form, signed = form_of(first), form_of(first, "+")
    shown = Shown(
        name="object-sizes-gains",
        caption=_caption(found),
        table=found.table,
        columns=(
            Column("objects", "size"),
            Column(found.dimension, "value"),
            Column("less", "against"),
            Column("pairs of networks", "pairs", ","),
            Column("seeds", "seeds", ","),
            Column(f"{found.score.label} of the latter", "before", form),
            Column(f"gain ({found.score.difference})", "difference", signed),
            Column("low", "low", signed),
            Column("high", "high", signed),
            Column("low, all at once", "low_all", signed),
            Column("high, all at once", "high_all", signed),
            Column("p, all at once", "p_all", P_VALUE),
        ),
        draw=lambda: draw_object_sizes(found, title=run.described(short=True)),
        alt=f"Points with intervals: gains by {found.dimension}. {' '.join(sentences)}",
    )
    claims = tuple(one.text for one in said if one.claims)
    return Card(
        name=_NAME, question=_QUESTION, sentences=sentences, claims=claims, shown=(shown,)
    )


def _said(run: Run, found: Sized) -> Iterator[Said]:
    if found.rule.why:
        yield Said(found.rule.why)
    form = form_of(next(iter(sizes_of(run).values())), "+")
    for value, rows in found.table.groupby("value", sort=False):
        by_size = {row["size"]: row for row in rows.to_dict("records")}
        growth = by_size.pop(GROWTH, None)
        gains = ", ".join(
            f"{_ends(row, form)} for {size} objects" for size, row in by_size.items()
        )
        against = rows["against"].iloc[0]
        yield Said(
            f"{capital(found.dimension)} {value} minus {against}, at equal multiply-adds, "
            f"gains {gains}, in {found.score.difference} (intervals of all at once)."
        )
        if growth is not None:
            words = _growth_words(growth, form, f"{found.dimension} {value}")
            yield Said(words, _told(growth))
    sizes = {*found.table["size"]}
    if GROWTH not in sizes:
        yield Said(
            "There are no small or no large objects, so whether these gain more is not known."
        )
    yield from map(Said, missing(run, run.whole()))


def _growth_words(row: dict[Hashable, Any], form: str, value: str) -> str:
    said = f"By {value} large objects gain {_ends(row, form)} more than small ones"
    return f"{said}." if _told(row) else f"{said}, which may be chance."


def _told(growth: dict[Hashable, Any]) -> bool:
    """Whether large objects clearly gain more or less than small ones by the test."""
    return bool(growth["p_all"] < SIGNIFICANT)


def _ends(row: dict[Hashable, Any], form: str) -> str:
    said = f"{row['difference']:{form}}"
    if row["low_all"] == row["low_all"]:
        said += f" ({row['low_all']:{form}} to {row['high_all']:{form}})"
    return said


def _caption(found: Sized) -> str:
    least, most = found.table["pairs"].min(), found.table["pairs"].max()
    count = f"{least}" if least == most else f"{least} to {most}"
    return (
        f"{capital(found.score.name)} by the size of objects (in COCO: small below 32 x 32 "
        f"pixels, large above 96 x 96): {found.dimension} minus its smallest value, over "
        f"{count} pairs of networks that have the same multiply-adds within {ALIKE - 1:.0%} "
        f"and differ only in {found.dimension} and in the width that compensates for it. One "
        "network + seed model for each size; large minus small by the model of that "
        "difference in each trial, so that what a trial's two scores share cancels. 95 % "
        "intervals alone, and all at once: within a model by the largest |t|, over "
        f"{found.models} models by Bonferroni."
    )
