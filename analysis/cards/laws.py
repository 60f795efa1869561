"""The card on scaling laws along each dimension, exchange rates and a compound rule."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from analysis.cards.card import Card, Column, Shown, reason
from analysis.plots.laws import draw_laws
from analysis.questions import series
from analysis.questions.slopes import Slope, slopes
from analysis.questions.tradeoffs import (
    Fitted,
    exchange_rates,
    laws,
    left_out,
    rules,
    table,
)
from analysis.runs.run import Run, RunError
from analysis.runs.scores import is_percent_error

_NAME = "laws"
_QUESTION = "Does error follow a law along each dimension, and what does one buy of another?"
_SLOPES = (
    Column("dimension", "dimension"),
    Column("law", "law"),
    Column("networks", "networks", ","),
    Column("seeds", "seeds", ","),
    Column("points of error a doubling", "slope", "+.2f"),
    Column("95 % low", "low", "+.2f"),
    Column("95 % high", "high", "+.2f"),
)
_LAWS = (
    Column("dimension", "dimension"),
    Column("form", "form"),
    Column("parameter", "parameter"),
    Column("value", "value", ".4g"),
    Column("95 % low", "low", ".4g"),
    Column("95 % high", "high", ".4g"),
    Column("off on the held-out", "missed", ".2%"),
    Column("a constant", "missed_by_constant", ".2%"),
)


def laws_card(run: Run) -> Card:
    """Show laws of error along each dimension, exchange rates and a compound rule."""
    try:
        points = series.points(run)
    except RunError as error:
        return Card(name=_NAME, question=_QUESTION, refused=reason(error, run.folder))
    rng = np.random.default_rng(0)
    fitted, doubts = laws(run, points, rng=rng)
    if not is_percent_error(run.ranking):
        return Card(name=_NAME, question=_QUESTION, refused=doubts[0])
    straight = slopes(run, points)
    of = run.plan.analysis.of
    said = [
        *(_law(name, one) for name, one in fitted.items()),
        *doubts,
        *_missing(points),
        *(f"rate: {one}" for one in exchange_rates(points, fitted, rng=rng, of=of)),
        *(f"rule: {one}" for one in rules(run, points, fitted, rng=rng)),
    ]
    sentences = tuple(f"{one[0].upper()}{one[1:]}." for one in said)
    shown = [
        Shown(
            name="laws-drawn",
            caption="Error against multiply-adds, one point per trial. Where there is a law, "
            "its curve with a 95 % band, of laws fitted again to normal deviations of networks "
            "and trials around it; what a seed adds to all networks is not in it. The form "
            "is the one that best predicted the largest, held out. Otherwise the least-squares "
            "line over the logarithm of multiply-adds, shaded between the ends of its slope's "
            "95 % interval (network + seed model, each alone).",
            table=_rows(fitted, straight),
            columns=_SLOPES,
            draw=lambda: draw_laws(
                points, fitted, run.tested, title=run.described(short=True), slopes=straight
            ),
            alt=f"Points with curves or lines: error against multiply-adds. {sentences[0]}",
        )
    ]
    if fitted:
        shown.append(
            Shown(
                name="laws-fitted",
                caption="Parameters of the laws with 95 % intervals over resamples, each "
                "alone; they trade off against each other, so rely on the band of the curve. "
                "Beside them: how far the law and a constant were off on the largest networks, "
                "which were held out.",
                table=table(fitted),
                columns=_LAWS,
            )
        )
    return Card(name=_NAME, question=_QUESTION, sentences=sentences, shown=tuple(shown))


def _rows(fitted: Mapping[str, Fitted], straight: Mapping[str, Slope]) -> pd.DataFrame:
    """The slope of each dimension, and the law it follows, if any."""
    rows = [
        one._asdict()
        | {
            "dimension": name,
            "law": fitted[name].law.form.name if name in fitted else "none",
        }
        for name, one in straight.items()
    ]
    return pd.DataFrame(rows, columns=[column.key for column in _SLOPES])


def _law(name: str, one: Fitted) -> str:
    law, judged, count = one.law, one.judgement, len(one.judgement.held_out)
    largest = (
        f"the {count} largest networks were off by {judged.rmse[law.form.name]:.1%} of their"
        if count > 1
        else f"the largest network was off by {judged.rmse[law.form.name]:.1%} of its"
    )
    return (
        f"{name}: error follows a {law.form.name} law of multiply-adds; held out, {largest} "
        f"error, by a constant {judged.baseline:.1%}"
    )


def _missing(points: pd.DataFrame) -> list[str]:
    """State which networks are excluded from all laws."""
    names = left_out(points)
    if not names:
        return []
    return [
        "in no law, because some of their trials failed and the remaining seeds are the "
        f"better ones: {', '.join(names)}"
    ]
