"""Lists the trained weights that a run kept, with the line of Python that loads each."""

import json
import re
from pathlib import Path
from typing import Any

import pandas as pd

from analysis.runs.networks import networks
from analysis.runs.run import Run
from res2net.file_names import printable
from search.study.loading import loading_line

_SEED = re.compile(r"(-confirmed-\d+epochs)?-seed(\d+)$")


def kept_weights(run: Run) -> pd.DataFrame:
    """The files in a run's `networks/`, one row each, confirmed first, by means over seeds.

    Returns:
        `network`, `phase`, `seed` (its repeat), `epochs` and `metrics` from the .json beside
        the weights, and `line`, which loads them; cells are empty where that file is missing.
    """
    rows = [_row(path, run) for path in (run.folder / "networks").glob("*.safetensors")]
    columns = ["network", "phase", "seed", "epochs", "metrics", "line"]
    frame = pd.DataFrame(rows, columns=columns)
    ranked = {name: place for place, name in enumerate(networks(run)["name"])}
    frame["rank"] = frame["network"].map(ranked)  # missing if there is no such trial
    order = ["phase", "rank", "network", "seed"]
    return frame.sort_values(order, ignore_index=True).drop(columns="rank")


def _row(path: Path, run: Run) -> dict[str, Any]:
    about = _about(path.with_suffix(".json"))
    name = printable(about.get("name") or _SEED.sub("", path.stem))
    metrics = about.get("metrics") or {}
    shown = ", ".join(f"{key.replace('_', ' ')} {value:.4g}" for key, value in metrics.items())
    return {
        "network": name,
        "phase": about.get("phase", ""),
        "seed": about.get("repeat"),
        "epochs": about.get("epochs"),
        "metrics": shown,
        "line": loading_line(path, plan=run.plan),
    }


def _about(path: Path) -> dict[str, Any]:
    """The .json beside the weights; empty if it does not exist or cannot be read."""
    try:
        read = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return read if isinstance(read, dict) else {}
