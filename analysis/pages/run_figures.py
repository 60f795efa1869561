"""The figures of a run with their captions and numbers, for the report.

Goes in: a `Run`. Come out: `page.Figure`s: drawn by others, from tables that others made.
"""

import pandas as pd

from analysis.pages import page
from analysis.pages.page import Column, Figure, Table
from analysis.plots import main as plots
from analysis.plots.curves import draw_curves
from analysis.questions import curves, series
from analysis.questions import equal_size as matched
from analysis.runs.networks import by_network, networks
from analysis.runs.pareto import accuracy_vs_macs
from analysis.runs.run import Run, RunError

_NETWORKS = (
    Column("network", "name"),
    Column("params", "params", ","),
    Column("MACs", "macs", ","),
    Column("seeds", "seeds", ","),
    Column("validation error (%)", "val_mean", ".2f"),
    Column("95 % low", "val_low", ".2f"),
    Column("95 % high", "val_high", ".2f"),
    Column("test error (%)", "test_mean", ".2f"),
    Column("95 % low", "test_low", ".2f"),
    Column("95 % high", "test_high", ".2f"),
)
_FRONT = Column("on the front", "front")
_BAND = (
    Column("epoch", "epoch", "d"),
    Column("trials", "trials", ","),
    Column("median (%)", "median", ".2f"),
    Column("low (%)", "low", ".2f"),
    Column("high (%)", "high", ".2f"),
    Column("low and high are", "between"),
)
_SERIES = (
    Column("series", "series"),
    Column("network", "name"),
    Column("label", "label"),
    Column("params", "params", ","),
    Column("MACs", "macs", ","),
    Column("seeds", "seeds", ","),
    Column("test precision (%)", "mean", ".2f"),
    Column("95 % low", "low", ".2f"),
    Column("95 % high", "high", ".2f"),
)
_COMPARED = (
    Column("network", "label"),
    Column("against", "against"),
    Column("seeds", "seeds", ","),
    Column("difference (points)", "difference", "+.2f"),
    Column("95 % low", "low", "+.2f"),
    Column("95 % high", "high", "+.2f"),
    Column("p", "p", ".4f"),
    Column("p after Holm", "p_holm", ".4f"),
)
_PHASES = {"search": "Networks of", "confirm": "Confirmed networks of"}
_ALIKE = {"params": "parameters", "macs": "multiply-adds"}


def networks_table(run: Run, *, phase: str = "search", front: bool = False) -> Table:
    """The networks of a run by validation error, for the page, Markdown and LaTeX.

    Args:
        run: finished or not.
        phase: "search", or "confirm": the best again, with fresh seeds.
        front: with a column that says which are on the Pareto front.
    """
    frame = networks(run, phase=phase)
    shown = frame.assign(front=["yes" if on else "" for on in frame["on_front"]])
    unfinished = "" if run.finished else f", not finished ({run.ended} of {run.planned} trials)"
    return page.table(
        shown,
        (*_NETWORKS, _FRONT) if front else _NETWORKS,
        name=f"networks-{phase}",
        caption=f"{_PHASES[phase]} {run.name}{unfinished}: mean errors over seeds with 95 % "
        "t-intervals; none where one seed says nothing of chance",
        sortable=True,
    )


def run_figures(run: Run) -> list[Figure]:
    """Draw a run: its dimensions if it is of axes, accuracy by multiply-adds, curves.

    Args:
        run: finished or not.
    """
    drawn = [_accuracy(run)]
    if run.config["search"]["sampler"] == "axes":
        drawn = [*_axes(run), *drawn]
    return [*drawn, _curves(run)]


def _title(run: Run) -> str:
    epochs, data = run.config["training"]["epochs"], run.config["data"]["name"]
    return f"{run.name}: {data}, {epochs} epochs a trial, {run.ended} trials"


def _accuracy(run: Run) -> Figure:
    points = accuracy_vs_macs(by_network(run))
    whole = points[points["whole"].astype(bool)]
    front = int(points["on_front"].sum())
    seeds = whole["name"].map(run.whole()["name"].value_counts()).max()
    each = "; each is the mean of its seeds" if seeds > 1 else ", each with one seed"
    said = f"{len(whole):,} networks trained to the end, {front:,} of them on the Pareto front"
    reach = ""
    if len(whole):
        reach = (
            f", {whole['macs_m'].min():.3g} to {whole['macs_m'].max():.3g} M multiply-adds, "
            f"accuracy {whole['accuracy_pct'].min():.2f} to {whole['accuracy_pct'].max():.2f} %"
        )
    stopped = len(points) - len(whole)
    return page.figure(
        plots.draw_accuracy_vs_macs(points, title=_title(run)),
        alt=f"Points: validation accuracy against multiply-adds. {said}{reach}.",
        caption=f"Validation accuracy against multiply-adds: {said}{each}."
        + (f" Crosses are {stopped:,} trials that ended early." if stopped else ""),
        table=networks_table(run, front=True),
    )


def _curves(run: Run) -> Figure:
    band, best = curves.band(run), curves.best(run)
    names = list(dict.fromkeys(best["name"]))
    wide = band.copy()
    for name in names:
        of_one = best[best["name"] == name].set_index("epoch")["error_pct"]
        wide[name] = wide["epoch"].map(of_one)
    fewer = len(band) and band["trials"].iloc[-1] < band["trials"].iloc[0]
    last = (
        f" In the last epoch the median is {band['median'].iloc[-1]:.2f} % of "
        f"{band['trials'].iloc[-1]:,} trials."
        if len(band)
        else ""
    )
    return page.figure(
        draw_curves(band, best, title=_title(run)),
        alt=f"Lines: validation error by epoch, median and band of all trials and the best "
        f"networks {', '.join(names) or '(none yet)'}.{last}",
        caption="Validation error by epoch: the median of the search's trials, a band around "
        f"it, and the best networks by their last error.{last}"
        + (" Later epochs are of fewer trials: those that went on." if fewer else ""),
        table=page.table(
            wide,
            (*_BAND, *(Column(f"{name} (%)", name, ".2f") for name in names)),
            name="curves",
            caption="Validation error by epoch",
        ),
    )


def _axes(run: Run) -> list[Figure]:
    try:
        on_axes = series.points(run)
    except RunError:  # the conclusion says why
        return []
    summary, printed = series.summary(on_axes), series.printed(run, on_axes)
    present = [name for name in series.DIMENSIONS if name in set(summary["series"])]
    least, most = summary["seeds"].min(), summary["seeds"].max()
    seeds = f"{least if least == most else f'{least} to {most}'} seeds a network"
    first = page.figure(
        plots.draw_series(summary, printed=printed, title=_title(run)),
        alt=f"Lines: test precision against parameters and against multiply-adds, one line "
        f"for each of {', '.join(present) or 'no dimension'}, from one base network.",
        caption=f"Test precision by size, one dimension at a time from the base: {seeds}; "
        "whiskers are 95 % t-intervals over seeds"
        + ("; stars are what the paper printed." if len(printed) else "."),
        table=page.table(
            summary, _SERIES, name="series", caption="Networks by the dimension that they vary"
        ),
    )
    return [first, *(_compared(run, on_axes, size=size) for size in _ALIKE)]


def _compared(run: Run, on_axes: pd.DataFrame, *, size: str) -> Figure:
    compared, alike = matched.comparisons(on_axes, size=size), _ALIKE[size]
    return page.figure(
        plots.draw_comparisons(compared, of="scale", title=f"{run.name}, at equal {alike}"),
        alt=f"Points with intervals: precision of scale less that of each other dimension at "
        f"equal {alike}; {len(compared)} comparisons.",
        caption=f"Scale against each other dimension at equal {alike}, paired by seed; right "
        "of the line scale is better. Of one seed there is no interval.",
        table=page.table(
            compared,
            _COMPARED,
            name=f"compared-{size}",
            caption=f"Precision of scale less that of the other, at equal {alike}",
        ),
    )
