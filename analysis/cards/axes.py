"""Cards of a run along axes: its networks by dimension, and which dimension buys more."""

import pandas as pd

from analysis.cards.card import P_VALUE, Card, Column, Shown, reason
from analysis.plots.equal_size import draw_comparisons, draw_networks, draw_slopes
from analysis.plots.series import draw_series
from analysis.questions import series
from analysis.questions.equal_size import comparisons, missing
from analysis.questions.equal_size_words import HELD_EQUAL, Said, conclusion, together_words
from analysis.questions.stopping import rule_of
from analysis.runs.run import Run, RunError
from analysis.runs.scores import Score
from search.design.contrasts import DIMENSIONS
from search.schema.metrics import PERCENT
from search.schema.wording import how_many_each


def compared_columns(score: Score) -> tuple[Column, ...]:
    """The columns of a table of `comparisons`.

    Args:
        score: defines how its values are written.
    """
    form = score.form("+")
    return (
        Column("networks", "label"),
        Column("of", "of"),
        Column("against", "against"),
        Column("how many", "networks", ","),
        Column("seeds", "seeds", ","),
        Column("difference", "difference", form),
        Column("95 % low", "low", form),
        Column("95 % high", "high", form),
        Column("p alone", "p", P_VALUE),
        Column("low, all at once", "low_all", form),
        Column("high, all at once", "high_all", form),
        Column("p, all at once", "p_all", P_VALUE),
    )


def series_card(run: Run) -> Card:
    """The paper's Fig. 5: each dimension varied alone from one base network."""
    question = "What does each dimension buy, one at a time?"
    try:
        on_axes = series.points(run)
    except RunError as error:
        return Card(name="series", question=question, refused=reason(error, run.folder))
    summary, printed = series.summary(on_axes), series.printed(run, on_axes)
    present = [name for name in DIMENSIONS if name in set(summary["series"])]
    seeds = f"{how_many_each(summary['seeds'].tolist(), 'seed')} per network"
    columns = (
        Column("series", "series"),
        Column("network", "name"),
        Column("label", "label"),
        Column("params", "params", ","),
        Column("MACs", "macs", ","),
        Column("seeds", "seeds", ","),
        Column(run.score.label, "mean", run.score.form()),
        Column("95 % low", "low", run.score.form()),
        Column("95 % high", "high", run.score.form()),
    )
    name = run.score.name
    shown = Shown(
        name="series",
        caption=f"{name[0].upper()}{name[1:]} by size, one dimension at a time from the base: "
        f"{seeds}{_whiskers(summary)}"
        + ("; stars are the paper's printed values." if len(printed) else "."),
        table=summary,
        columns=columns,
        draw=lambda: draw_series(
            summary, run.score, printed=printed, title=run.described(short=True)
        ),
        alt=f"Lines: {name} against parameters and against multiply-adds, one line for each of "
        f"{', '.join(present) or 'no dimension'}, from one base network.",
    )
    return Card(name="series", question=question, shown=(shown,))


def _whiskers(summary: pd.DataFrame) -> str:
    """Describe the intervals of networks; empty if none has one."""
    if summary["low"].isna().all():
        return ""
    pooled = ", their spread pooled over networks" * bool(summary.attrs["pooled"])
    return (
        f"; whiskers are 95 % intervals of the mean over seeds{pooled}; points whose whiskers "
        "would hide each other are drawn slightly apart"
    )


def equal_size_card(run: Run) -> Card:
    """Show which dimension buys more at equal size and per doubling of multiply-adds."""
    of = run.plan.analysis.of
    question = f"Does {of} buy more than the other dimensions?"
    try:
        on_axes = series.points(run)
    except RunError as error:
        return Card(name="equal-size", question=question, refused=reason(error, run.folder))
    asked = run.plan.analysis
    compared = comparisons(on_axes, analysis=asked, rule=rule_of(run))
    said = conclusion(compared, run.score, analysis=asked)
    said += [Said(sentence) for sentence in missing(run, on_axes)]
    if compared.empty:
        why = " ".join(sentence.text for sentence in said)
        return Card(
            name="equal-size",
            question=question,
            refused=why or f"there is no other dimension to compare {of} with",
        )
    return Card(
        name="equal-size",
        question=question,
        sentences=tuple(one.text for one in said),
        claims=tuple(one.text for one in said if one.claims),
        shown=(*_at_equal_size(run, compared), *_others(run, compared)),
    )


def _at_equal_size(run: Run, compared: pd.DataFrame) -> list[Shown]:
    score, of = run.score, run.plan.analysis.of
    together = together_words(compared, singles=True)
    side = "right" if score.more_is_better else "left"
    return [
        Shown(
            name=f"compared-{size}",
            caption=f"{of.capitalize()} against each other dimension at equal {alike}, in "
            f"{_unit(score)}; {side} of the line {of} is better. {together}",
            table=compared[compared["size"] == size],
            columns=compared_columns(score),
            draw=lambda size=size, alike=alike: draw_comparisons(  # type: ignore[misc]
                compared, score, size=size, title=f"{run.name}, at equal {alike}"
            ),
            alt=f"Points with intervals: {score.name} of {of} minus that of each other "
            f"dimension at equal {alike}.",
        )
        for size, alike in HELD_EQUAL.items()
        if (compared["size"] == size).any()
    ]


def _others(run: Run, compared: pd.DataFrame) -> list[Shown]:
    """Show slopes, and comparisons of single networks."""
    together, score, shown = together_words(compared), run.score, []
    unit = _unit(score)
    others = compared[compared["kind"] == "slope"]
    if len(others):
        shown.append(
            Shown(
                name="slopes",
                caption=f"What a doubling of multiply-adds buys, in {unit}: least-squares "
                "slopes over the logarithm of multiply-adds, and their differences. "
                f"{together}",
                table=others,
                columns=compared_columns(score),
                draw=lambda: draw_slopes(compared, score, title=run.name),
                alt="Points with intervals: slope of each dimension and differences of slopes.",
            )
        )
    networks = compared[compared["kind"].isin(["pair", "own"])]
    if len(networks):
        shown.append(
            Shown(
                name="networks-planned",
                caption=f"Networks against each other, in {unit}, as planned. {together}",
                table=networks,
                columns=compared_columns(score),
                draw=lambda: draw_networks(compared, score, title=run.described(short=True)),
                alt=f"Points with intervals: differences of {score.name} of networks.",
            )
        )
    return shown


def _unit(score: Score) -> str:
    return "points" if score.unit == PERCENT else score.unit or "the score"
