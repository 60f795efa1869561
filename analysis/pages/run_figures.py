"""Makes the figures of a run with their captions and numbers, for the report and for papers.

Input: a `Run`. Output: figures with their captions and numbers, drawn by `analysis.plots` from
tables of `analysis.questions` and `analysis.runs`.
"""

import pandas as pd

from analysis.cards.axes import equal_size_card, series_card
from analysis.cards.card import Column, Shown
from analysis.pages import page
from analysis.pages.cards import card_figure
from analysis.pages.page import Figure, Table
from analysis.plots.curves import draw_curves
from analysis.plots.pareto import draw_pareto
from analysis.questions import curves
from analysis.questions.knee import knee_of
from analysis.runs.networks import by_network, confirmed_epochs, networks
from analysis.runs.run import Run
from analysis.runs.scores import capital, form_of, score_of, titled, with_unit, words
from search.schema.metrics import Objective
from search.schema.wording import how_many

_FRONT = Column("on the front", "front")
_INTERVALS = (
    "means over seeds with 95 % t-intervals; none where there is one seed, which cannot "
    "show the noise"
)
_PHASES = {"search": "Networks of", "confirm": "Confirmed networks of"}


def networks_table(run: Run, *, phase: str = "search") -> Table:
    """Table of a run's networks, the best first, for the page, Markdown and LaTeX.

    Args:
        run: finished or not.
        phase: "search", or "confirm" for the best networks again with fresh seeds.
    """
    shown, columns = _networks(run, phase)
    length = how_many(confirmed_epochs(run), "epoch")
    epochs = f", {length} a trial" * (phase == "confirm")
    unfinished = "" if run.finished else f", not finished ({run.ended} of {run.planned} trials)"
    return page.table(
        shown,
        columns,
        name=f"networks-{phase}",
        caption=f"{_PHASES[phase]} {run.name}{epochs}{unfinished}: {_INTERVALS}",
        sortable=True,
    )


def _networks(run: Run, phase: str) -> tuple[pd.DataFrame, list[Column]]:
    frame = networks(run, phase=phase)
    costs = [one for one in run.objectives if one.source == "counted"]
    measured = [
        one
        for one in (*costs, *run.plan.measured)
        if one.column in run.trials and one.column not in frame
    ]
    for one in measured:
        known = run.trials.dropna(subset=one.column).groupby("name")[one.column].first()
        frame[one.column] = frame["name"].map(known)
    columns = [
        Column("network", "name"),
        Column("params", "params", ","),
        Column("MACs", "macs", ","),
        *(Column(with_unit(one.label, one.unit), one.column, ".4g") for one in measured),
        Column("seeds", "seeds", ","),
        *([Column("failed", "failed", ",")] if frame["failed"].any() else []),
        *_interval(run.ranking, "val"),
        *_interval(run.tested, "test"),
    ]
    return frame.assign(front=["yes" if on else "" for on in frame["on_front"]]), columns


def _interval(metric: Objective, side: str) -> list[Column]:
    form = form_of(metric)
    ends = ((f"95 % {end}", f"{side}_{end}") for end in ("low", "high"))
    named = ((titled(metric), f"{side}_mean"), *ends)
    return [Column(title, key, form) for title, key in named]


def run_figures(run: Run) -> list[Figure]:
    """Draw a run: its dimensions if it is along axes, its Pareto front, its learning curves.

    Args:
        run: finished or not.
    """
    return [card_figure(one) for one in drawings(run)]


def drawings(run: Run) -> list[Shown]:
    """The figures that `run_figures` draws, with captions and numbers.

    Args:
        run: finished or not.
    """
    drawn = [_pareto(run), _curves(run)]
    if "axes" not in run.manifest.sampler_traits:
        return drawn
    cards = (series_card(run), equal_size_card(run))  # the conclusion has their sentences
    return [*(one for card in cards for one in card.shown), *drawn]


def _title(run: Run) -> str:
    data = run.plan.data.name
    return f"{run.name}: {data}, {run.lengths} per trial, {how_many(run.ended, 'trial')}"


def _pareto(run: Run) -> Shown:
    points, cost, score = by_network(run), run.cost_axis, score_of(run.ranking)
    whole = points[points["whole"].astype(bool)]
    front = int(points["on_front"].sum())
    seeds = run.whole()["name"].value_counts().max()
    each = f"; each is the mean of its seeds: {_INTERVALS}" if seeds > 1 else ""
    if seeds == 1:
        each = ", of one seed each" if len(whole) > 1 else ", of one seed"
    of = ", ".join(words(one) for one in run.compared)
    lie = f"which is {'' if front else 'not '}" if len(whole) == 1 else f"{front:,} of them "
    said = (
        f"{how_many(len(whole), 'network')} trained to the end, {lie}on the Pareto front ({of})"
    )
    reach = ""
    if len(whole):
        costs, scores = whole[cost.column], score.of(whole[run.ranking.column])
        reach = (
            f", {words(cost)} {costs.min():,.6g} to {costs.max():,.6g}, {score.label} "
            f"{scores.min():{score.form()}} to {scores.max():{score.form()}}"
        )
    stopped = len(points) - len(whole)
    against = f"{score.name} against {words(cost)}"
    table, columns = _networks(run, "search")
    knee = knee_of(run)
    return Shown(
        name="networks-search",
        caption=f"{capital(against)}: {said}{each}. {knee.said}"
        + _crosses(stopped)
        + _beside(run),
        table=table,
        columns=(*columns, _FRONT),
        draw=lambda: draw_pareto(points, run.compared, title=_title(run), knee=knee),
        alt=f"Points: {against}. {said}{reach}. {knee.said}",
        sortable=True,
    )


def _crosses(stopped: int) -> str:
    if not stopped:
        return ""
    marks = "The cross is" if stopped == 1 else "Crosses are"
    return f" {marks} {how_many(stopped, 'trial')} that ended early."


def _beside(run: Run) -> str:
    """State how many networks were measured beside other work, which makes them look slow."""
    timed = [words(one) for one in run.plan.measured if one.unit]
    if not timed:
        return ""
    measured = run.trials.dropna(subset="measured_alone").drop_duplicates("name")
    beside = int((~measured["measured_alone"].astype(bool)).sum())
    if not beside:
        return ""
    return (
        f" {capital(' and '.join(timed))} of {beside:,} of {len(measured):,} networks was "
        "measured while other work ran on the device, so they look slower than they are."
    )


def _later(run: Run) -> str:
    """Which trials have an epoch that others have not."""
    return (
        "those that were planned longer"
        if "epochs" in run.plan.varied
        else "those that went on"
    )


def _curves(run: Run) -> Shown:
    band, best, metric = curves.band(run), curves.best(run), words(run.ranking)
    unit = run.ranking.unit
    names = list(dict.fromkeys(best["name"]))
    wide = band.copy()
    for name in names:
        of_one = best[best["name"] == name].set_index("epoch")["mean"]
        wide[name] = wide["epoch"].map(of_one)
    fewer = len(band) and band["trials"].iloc[-1] < band["trials"].iloc[0]
    last = (
        f" In the last epoch the median is {run.ranking.text(band['median'].iloc[-1])} of "
        f"{how_many(band['trials'].iloc[-1], 'trial')}."
        if len(band) and pd.notna(band["median"].iloc[-1])
        else ""
    )
    form = form_of(run.ranking)
    columns = [
        Column("epoch", "epoch", "d"),
        Column("trials", "trials", ","),
        *(Column(with_unit(key, unit), key, form) for key in ("median", "low", "high")),
        Column("low and high are", "between"),
        *(Column(with_unit(name, unit), name, form) for name in names),
    ]
    return Shown(
        name="curves",
        draw=lambda: draw_curves(band, best, run.ranking, title=_title(run)),
        alt=f"Lines: {metric} by epoch, median and band of all trials and the best networks "
        f"{', '.join(names) or '(none yet)'}.{last}",
        caption=f"{capital(metric)} by epoch: the median of the search's trials, a band "
        f"around it, and the best networks at their last epoch.{last}"
        + (f" Later epochs have fewer trials: {_later(run)}." if fewer else ""),
        table=wide,
        columns=tuple(columns),
    )
