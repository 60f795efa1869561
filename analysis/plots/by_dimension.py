"""Draws networks against each dimension that varied, and where the best ones lie."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from analysis.plots.style import entitle, marks, nothing, panelled
from analysis.runs.scores import titled
from search.schema.metrics import Objective

_MANY = 500  # beyond this many points, rasterise instead of one vector element each
_MOST_VALUES = 6  # categories that are named; the others share one position
_OTHERS = "others"


def draw_by_dimension(
    networks: pd.DataFrame, found: pd.DataFrame, ranking: Objective, *, title: str
) -> Figure:
    """Draw the ranking metric against each dimension, a point per network; mark the best.

    Args:
        networks: from `analysis.runs.networks.averaged`.
        found: from `analysis.questions.by_dimension.best_by_dimension`.
        ranking: the ranking metric: `run.ranking`.
        title: title of the figure, which describes the run.
    """
    dimensions = list(dict.fromkeys(found["dimension"]))
    with panelled(max(len(dimensions), 1)) as (figure, axes):
        for ax, dimension in zip(axes, dimensions, strict=False):
            rows = found[found["dimension"] == dimension].reset_index(drop=True)
            if pd.notna(rows["low"].iloc[0]):
                _draw_numbers(networks[dimension], networks["val"], rows.iloc[0], ax)
            else:
                _draw_categories(networks[dimension].astype(str), networks["val"], rows, ax)
            ax.set_xlabel(dimension)
        if not dimensions:
            nothing(axes[0], "no dimension varied")
        figure.supylabel(titled(ranking), fontsize="medium")
        entitle(figure, title)
    return figure


def _draw_numbers(values: pd.Series, scores: pd.Series, row: pd.Series, ax: Axes) -> None:
    room = 0.02 * (row["to"] - row["from"])  # so that a range of one value is visible
    ax.axvspan(row["low"] - room, row["high"] + room, color="0.87", linewidth=0, zorder=0)
    ax.axvline(row["median"], color="0.35", linestyle="--", linewidth=1.2, zorder=1)
    _draw_points(values.to_numpy(dtype=float), scores, ax)
    ax.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))
    ax.set_title(f"best: {_range(row)}", loc="left", fontsize="small")


def _range(row: pd.Series) -> str:
    low, high = f"{row['low']:g}", f"{row['high']:g}"
    return low if low == high else f"{low} to {high}"


def _draw_categories(
    values: pd.Series, scores: pd.Series, rows: pd.DataFrame, ax: Axes
) -> None:
    """Draw the values that the best most often has, sorted as text, and the others."""
    named = sorted(rows["value"].head(_MOST_VALUES))
    labels = [*named, _OTHERS] if len(rows) > len(named) else named
    shares = rows.set_index("value")["share"].reindex(named).tolist()
    shares += [1 - sum(shares)] * (len(labels) - len(named))
    place = values.map({value: at for at, value in enumerate(named)}).fillna(len(named))
    _draw_beside(place.to_numpy(dtype=float), scores, ax)
    texts = [f"{label}\n{share:.0%}" for label, share in zip(labels, shares, strict=True)]
    ax.set_xticks(
        range(len(labels)),
        texts,
        fontsize="small",
        rotation=90 if len(max(labels, key=len)) > 5 else 0,
    )
    ax.set_xlim(-0.6, len(labels) - 0.4)
    ax.set_title("%: how often the best has it", loc="left", fontsize="small")


def _draw_beside(place: np.ndarray, scores: pd.Series, ax: Axes) -> None:
    """Draw the points of a value side by side without overlap; if many, as a cloud."""
    if len(scores) > _MANY:
        aside = np.random.default_rng(0).uniform(-0.25, 0.25, len(place))
        _draw_points(place + aside, scores, ax)
        return
    import seaborn as sns  # noqa: PLC0415 - takes a second, used only here

    sns.swarmplot(
        x=place, y=scores.to_numpy(), ax=ax, color=marks([""])[""].color, alpha=0.7, size=4,
        native_scale=True, warn_thresh=1.0,
    )  # fmt: skip
    ax.set_ylabel("")


def _draw_points(x: np.ndarray, scores: pd.Series, ax: Axes) -> None:
    many = len(scores) > _MANY
    ax.plot(
        x, scores, "o", color=marks([""])[""].color, alpha=0.25 if many else 0.7,
        markersize=2 if many else 4, markeredgewidth=0, rasterized=many, zorder=2,
    )  # fmt: skip
