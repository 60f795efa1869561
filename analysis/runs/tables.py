"""A run's journal as tidy tables: one row a trial, one row an epoch.

Errors are in percent, times in seconds, costs for one image. No torch here.
"""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
from pyarrow import json as arrow_json

from res2net.architecture import PerStage, written
from search.study.journal import JournalError, epoch_lines, read
from search.study.events import Ended, Started

TRIAL_COLUMNS = (
    "trial",
    "phase",
    "status",
    "reason",
    "name",
    "depth",
    "width",
    "scale",
    "cardinality",
    "se",
    "planes",
    "skeleton",
    "params",
    "macs",
    "activations",
    "repeat",
    "seed",
    "epochs_planned",
    "epochs",
    "val_error_pct",
    "val_error_top5_pct",
    "test_error_pct",
    "test_error_top5_pct",
    "seconds",
    "device",
    "images_per_s",
    "seconds_per_epoch",
    "peak_memory_bytes",
    "energy_j",
    "utilisation",
    "execution",
    "preparation_seconds",
    "parts",
)
EPOCH_COLUMNS = (
    "trial",
    "epoch",
    "train_loss",
    "val_error_pct",
    "val_error_top5_pct",
    "images_per_s",
    "seconds",
)
_RENAMED = {
    "val_error": "val_error_pct",
    "val_error_top5": "val_error_top5_pct",
    "test_error": "test_error_pct",
    "test_error_top5": "test_error_top5_pct",
    "peak_memory": "peak_memory_bytes",
    "energy": "energy_j",
    "preparation": "preparation_seconds",
}


def trials(folder: Path) -> pd.DataFrame:
    """One row a trial, in the order they started; a trial under way has status "running".

    Args:
        folder: of the run.

    Returns:
        A frame with TRIAL_COLUMNS; missing results are NaN.

    Raises:
        JournalError: the journal cannot be read.
    """
    rows: dict[int, dict[str, Any]] = {}
    for record in read(folder, epochs=False):
        if isinstance(record, Started):
            rows[record.trial] = _started(record)
        elif isinstance(record, Ended):
            if record.trial not in rows:
                raise JournalError(
                    f"{folder}: trial {record.trial} ends and never started; restore the "
                    "journal from a copy, or delete every line of that trial"
                )
            values = asdict(record)
            values |= values.pop("taken") or {}
            ended = {_RENAMED.get(key, key): value for key, value in values.items()}
            rows[record.trial] |= ended | {"status": record.status.value}
    frame = pd.DataFrame(list(rows.values()), columns=list(TRIAL_COLUMNS))
    numbers = [column for column in TRIAL_COLUMNS if column.endswith("_pct")]
    frame[numbers] = frame[numbers].astype(float)
    frame["seconds_per_epoch"] = frame["seconds"] / frame["epochs"].where(frame["epochs"] > 0)
    return frame


def epochs(folder: Path) -> pd.DataFrame:
    """One row an epoch of each trial, in the order they were reported: EPOCH_COLUMNS.

    Raises:
        JournalError: the journal cannot be read.
    """
    lines = epoch_lines(folder)
    if not lines:
        return pd.DataFrame(columns=list(EPOCH_COLUMNS))
    try:  # a million lines in seconds; one by one they take ten times as long
        frame: pd.DataFrame = arrow_json.read_json(pa.BufferReader(lines)).to_pandas()
    except pa.ArrowInvalid:
        read(folder)  # says which line is damaged
        raise
    return frame.rename(columns=_RENAMED).reindex(columns=list(EPOCH_COLUMNS))


def _shown(value: PerStage) -> int | str:
    """One number stays one, so that a column of them is numeric."""
    return written(value) if isinstance(value, tuple) else value


def _started(started: Started) -> dict[str, Any]:
    network = started.network()
    return {
        "trial": started.trial,
        "phase": started.phase,
        "status": "running",
        "reason": "",
        "name": started.name,
        "depth": network.layers,
        "width": _shown(network.width),
        "scale": _shown(network.scale),
        "cardinality": _shown(network.cardinality),
        "se": network.se,
        "planes": network.planes,
        "skeleton": network.skeleton,
        "params": started.params,
        "macs": started.macs,
        "activations": started.activations,
        "repeat": started.repeat,
        "seed": started.seed,
        "epochs_planned": started.epochs,
    }
