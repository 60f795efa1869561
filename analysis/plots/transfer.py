"""Draws the scores of networks in the source of their weights against those in a run."""

import numpy as np
from matplotlib.figure import Figure

from analysis.plots.fitting import legend_below, wrapped
from analysis.plots.labels import Named, write_names
from analysis.plots.style import drawing, entitle, marks
from analysis.questions.tau_words import tau_words
from analysis.questions.transfer import Transferred
from analysis.runs.scores import Score, score_of
from search.design.contrasts import DIMENSIONS

_NAMED = 12  # networks whose names fit beside their points


def draw_transferred(found: Transferred, score: Score, *, source: str, title: str) -> Figure:
    """Draw a point for each network, and light points for its seeds.

    Args:
        found: from `analysis.questions.transfer.transferred`.
        score: score of the run: `run.score`.
        source: where the weights came from, in words.
        title: title of the figure, which describes the run.
    """
    there, style = score_of(found.source), marks([""])[""]
    table, trials = found.table, found.trials
    with drawing(width=6.2, height=4.8) as (figure, (ax,)):
        for _, seeds in trials.groupby("name"):
            x, y = there.of(seeds["source"]), score.of(seeds["here"])
            for one, other in zip(x, y, strict=True):
                ax.plot(
                    [x.mean(), one], [y.mean(), other], color=style.color, alpha=0.25,
                    linewidth=0.8, zorder=1,
                )  # fmt: skip
        ax.plot(
            there.of(trials["source"]), score.of(trials["here"]), "o", color=style.color,
            alpha=0.35, markersize=4, markeredgewidth=0, label="a seed", zorder=2,
        )  # fmt: skip
        means = there.of(table["source"]), score.of(table["here"])
        ax.plot(
            *means, style.marker, color=style.color, markersize=8, markeredgecolor="black",
            label="a network, mean over its seeds", zorder=3,
        )  # fmt: skip
        ax.margins(0.12)
        ax.set_xlabel(f"{there.label}, {source}")
        ax.set_ylabel(f"{score.label}, this task")
        said = wrapped(agreement(found), 0.85 * figure.get_figwidth(), "small")
        ax.set_title(said, loc="left", fontsize="small")
        entitle(figure, title)
        legend_below(figure, columns=2)
        if len(table) <= _NAMED:
            named = [
                Named(x, y, _short(label), "black")
                for x, y, label in zip(*means, table["label"], strict=True)
            ]
            seen = there.of(trials["source"]), score.of(trials["here"])
            write_names(ax, named, [np.array([spot]) for spot in zip(*seen, strict=True)])
    return figure


def _short(label: str) -> str:
    """Shorten a label to the usual form: "width 8, scale 4" is 8w-4s, "width 8" stays."""
    parts = [part.rsplit(" ", 1) for part in label.split(", ")]
    if len(parts) == 1 or any(name not in DIMENSIONS for name, _ in parts):
        return label
    return "-".join(f"{value}{name[0]}" for name, value in parts)


def agreement(found: Transferred) -> str:
    """State Kendall's tau_b of the networks in words, for the title of the figure."""
    tau = found.tau
    said = tau_words(tau.estimate, tau.low, tau.high, found.p, networks=tau.n)
    return f"Kendall's tau_b of {tau.n} networks: {said}"
