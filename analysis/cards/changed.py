"""The card on whether what a dimension buys changes between studies along axes."""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from analysis.cards.axes import compared_columns
from analysis.cards.card import Card, Shown
from analysis.plots.equal_size import draw_comparisons, draw_slopes
from analysis.questions.changed import Changed, changed
from analysis.questions.compare import labels
from analysis.questions.equal_size_words import (
    HELD_EQUAL,
    Row,
    Said,
    interval_words,
    together_words,
)
from analysis.runs.run import Run, RunError
from analysis.statistics.intervals import SIGNIFICANT
from search.design.contrasts import ALL_SIZES
from search.schema.wording import how_many

_NAME, _QUESTION = "changed", "Does what a dimension buys change from the first study?"


def changed_card(runs: Sequence[Run]) -> Card:
    """Show differences of differences: each run along axes minus the first."""
    said: list[Said] = []
    shown: list[Shown] = []
    refused: list[str] = []
    names = labels(runs)
    for number, run in enumerate(runs[1:], 1):
        try:
            found = changed(runs[0], run)
        except RunError as error:
            refused.append(str(error))
            continue
        pair = (names[0], names[number])
        said += _said(found, pair, runs[0])
        shown += _shown(found, pair, number)
    if not shown:
        return Card(name=_NAME, question=_QUESTION, refused="; ".join(refused))
    return Card(
        name=_NAME,
        question=_QUESTION,
        sentences=(*(one.text for one in said), *(f"Not answered: {why}." for why in refused)),
        claims=tuple(one.text for one in said if one.claims),
        shown=tuple(shown),
    )


def _said(found: Changed, pair: tuple[str, str], run: Run) -> Iterator[Said]:
    compared, (first, second) = found.compared, pair
    yield Said(
        f"{second} minus {first}, for the same network and "
        + ("the same seeds." if found.same_seeds else "different seeds.")
    )
    if found.alone:
        alone = how_many(found.alone, "trial")
        one = found.alone == 1
        yield Said(
            f"{alone} {'has no partner and is' if one else 'have no partner and are'} left out."
        )
    if found.fixed:
        several = len(found.fixed) > 1
        yield Said(
            f"Of {how_many(len(found.fixed), 'network')} both have the same trials, so "
            f"{'their' if several else 'its'} change is 0 and not in doubt; comparisons of "
            f"{'these' if several else 'it'} alone are left out. For the rest, intervals come "
            "from one sum for each seed, which makes them wide."
        )
    if compared.attrs["rule"].why:
        yield Said(compared.attrs["rule"].why)
    for row in _rows(compared):
        yield _sentence(row, found, run.plan.analysis.margin)


def _rows(compared: pd.DataFrame) -> list[Row]:
    """Rows for equal size over all sizes, then slopes."""
    whole = compared["kind"].eq("group") & compared["label"].eq(ALL_SIZES)
    kept = compared[whole | compared["kind"].eq("slope")]
    return [{str(key): value for key, value in row.items()} for row in kept.to_dict("records")]


def _sentence(row: Row, found: Changed, margin: float | None) -> Said:
    what = f"{row['of']} minus {row['against']}" if row["against"] else str(row["of"])
    at = f"at equal {HELD_EQUAL[row['size']]}" if row["size"] else "a doubling of multiply-adds"
    start = f"{what.capitalize()}, {at}, changes by {found.score.signed(row['difference'])}"
    if np.isnan(row["low"]):
        return Said(f"{start}, without an interval.")
    start = f"{start} ({interval_words(row, found.score)})"
    if np.isnan(row["p_all"]):
        return Said(f"{start}.")
    if row["p_all"] < SIGNIFICANT:
        more = (row["difference"] > 0) == found.score.more_is_better
        return Said(f"{start}: it buys {'more' if more else 'less'} in the second.", True)
    if margin is not None and max(abs(row["low_all"]), abs(row["high_all"])) < margin:
        return Said(f"{start}: the same within the margin of {margin:g}.", True)
    return Said(f"{start}: the data do not show a change.")


def _shown(found: Changed, pair: tuple[str, str], number: int) -> Iterator[Shown]:
    compared, score = found.compared, found.score
    title = f"{pair[1]} minus {pair[0]}"
    for size, alike in HELD_EQUAL.items():
        rows = compared[compared["size"] == size]
        if len(rows):
            yield Shown(
                name=f"changed-{number}-{size}",
                caption=f"How much larger the differences at equal {alike} are in {title}, "
                f"in {score.difference}. {together_words(compared, singles=True)}",
                table=rows,
                columns=compared_columns(score),
                draw=lambda size=size, alike=alike: draw_comparisons(  # type: ignore[misc]
                    compared, score, size=size, title=f"{title}, at equal {alike}"
                ),
                alt=f"Points with intervals: {score.name} of one dimension minus another.",
            )
    slopes = compared[compared["kind"] == "slope"]
    if len(slopes):
        yield Shown(
            name=f"changed-{number}-slopes",
            caption=f"How much more a doubling of multiply-adds buys in {title}, in "
            f"{score.difference}. {together_words(compared)}",
            table=slopes,
            columns=compared_columns(score),
            draw=lambda: draw_slopes(compared, score, title=title),
            alt=f"Points with intervals: {score.name} for a doubling of multiply-adds.",
        )
