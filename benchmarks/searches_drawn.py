"""Draws and tabulates the results of `benchmarks.searches`.

python -m benchmarks.searches_drawn FOLDER [--out benchmarks/results]

Shows the mean over searches of what is lost with the best network so far, with a 95 % bootstrap
interval over whole searches, against simulated seconds and against trials; and the difference
from random search with the same seed, at the time that random search takes.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes

from analysis.plots.style import entitle, marks, panelled, save
from benchmarks.searches import STOPPED, TRIALS, WORKERS

Floats = npt.NDArray[np.float64]

_RESAMPLED = 2000
_PLACES = 60  # points of a curve
_PANELS = {
    "samplers, every trial whole": (
        "random", "qmc", "tpe", "gp", "cmaes", "evolution", "local",
    ),
    "schedulers over random networks": (
        "random", "random, one_epoch", "random, asha", "random, asha with promotion",
        "random, hyperband", "random, median", "random, curves",
    ),
    "beside Optuna alone, and TPE that is stopped": (
        "random", "tpe", "tpe, asha", "bare Optuna, random", "bare Optuna, TPE",
        "bare Optuna, CMA-ES",
    ),
}  # fmt: skip


def lost_at(run: dict[str, Any], places: Floats, unit: str) -> Floats:
    """What is lost with the best so far at each place; NaN before the first complete trial."""
    at = np.array([one[unit] for one in run["incumbents"]])
    assert (np.diff(at) >= 0).all(), "searchsorted needs an order"
    lost = np.array([one["lost"] for one in run["incumbents"]])
    index = np.searchsorted(at, places, "right") - 1
    return np.where(index >= 0, lost[np.maximum(index, 0)], np.nan)


def interval(values: Floats) -> tuple[float, float]:
    """95 % interval of bootstrap means over searches."""
    rng = np.random.default_rng(0)
    drawn = rng.integers(len(values), size=(_RESAMPLED, len(values)))
    low, high = np.percentile(values[drawn].mean(axis=1), [2.5, 97.5])
    return float(low), float(high)


def table(searches: dict[str, list[dict[str, Any]]]) -> pd.DataFrame:
    """One row per search: mean seconds to its end, and the loss when random search ends.

    A search of a seed is compared with random search of the same seed, at the end of that one.
    """
    ends = [run["ends"] for run in searches["random"]]
    at_end = {
        name: np.array(
            [
                lost_at(run, np.array([end]), "seconds")[0]
                for run, end in zip(runs, ends, strict=True)
            ]
        )
        for name, runs in searches.items()
    }
    assert not any(np.isnan(lost).any() for lost in at_end.values()), "none had a whole trial"
    rows = []
    for name, lost in at_end.items():
        difference = lost - at_end["random"]
        low, high = interval(lost)
        below, above = interval(difference)
        rows.append(
            {
                "search": name,
                "searches": len(lost),
                "ends_s": np.mean([run["ends"] for run in searches[name]]),
                "lost_pct": lost.mean(),
                "low": low,
                "high": high,
                "less_random": difference.mean(),
                "less_low": below,
                "less_high": above,
            }
        )
    return pd.DataFrame(rows).sort_values("lost_pct")


def draw(searches: dict[str, list[dict[str, Any]]], out: Path) -> None:
    """Draw the figure: three panels against simulated seconds, three against trials."""
    end = float(np.mean([run["ends"] for run in searches["random"]]))
    with panelled(2 * len(_PANELS), most=3, width=13.5, height=3.8) as (figure, axes):
        for place, (title, names) in enumerate(_PANELS.items()):
            for row, (unit, last) in enumerate((("seconds", end), ("trial", float(TRIALS)))):
                ax = axes[row * len(_PANELS) + place]
                known = [name for name in names if name in searches]
                _panel(ax, {name: searches[name] for name in known}, unit, last)
                ax.set_title(title if row == 0 else "", fontsize="medium", loc="left")
        entitle(
            figure,
            f"Points of error lost with the best network so far, {len(searches['random'])} "
            f"whole searches each on {WORKERS} simulated workers over one table of trained "
            f"networks; {TRIALS} networks, or {STOPPED} where most are stopped; bands: 95 % of "
            "bootstrap means",
        )
        save(figure, out)


def _panel(ax: Axes, searches: dict[str, list[dict[str, Any]]], unit: str, last: float) -> None:
    places = np.linspace(last / _PLACES, last, _PLACES)
    for name, style in marks(list(searches)).items():
        lost = np.array([lost_at(run, places, unit) for run in searches[name]])
        whole = ~np.isnan(lost).any(axis=0)  # where every search has a complete trial
        if not whole.any():
            continue
        bands = np.array([interval(column) for column in lost[:, whole].T])
        ax.fill_between(places[whole], *bands.T, color=style.color, alpha=0.13, linewidth=0)
        ax.plot(
            places[whole], lost[:, whole].mean(axis=0), label=name, color=style.color,
            linestyle=style.linestyle,
        )  # fmt: skip
    ax.set_xlim(0, last)
    ax.set_ylim(0, 3)
    ax.set_xlabel("simulated seconds" if unit == "seconds" else "networks begun")
    ax.set_ylabel("points of error lost")
    ax.legend(fontsize="small")


def main(argv: Sequence[str]) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser("python -m benchmarks.searches_drawn")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results"))
    arguments = parser.parse_args(argv)
    searches = {}
    for path in sorted(arguments.folder.glob("*.json")):
        held = json.loads(path.read_text(encoding="utf-8"))
        searches[held["name"]] = held["runs"]
    rows = table(searches)
    rows.to_csv(arguments.out / "searches_digits_202611.csv", index=False, float_format="%.3f")
    draw(searches, arguments.out / "searches_digits_202611")
    print(rows.round(2).to_string(index=False))


if __name__ == "__main__":
    main(sys.argv[1:])
