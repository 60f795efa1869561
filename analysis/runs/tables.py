"""Reads a run's journal into tidy tables: one row per trial, one row per epoch.

Columns of percentages say so in their names; times are in seconds, costs for one image. No
torch here.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
from pyarrow import compute
from pyarrow import json as arrow_json

from res2net.architecture import PerStage, written
from res2net.file_names import printable
from search.schema.metrics import MODEL, TEST, TRAIN, VALIDATION, Metric, Objective, column_of
from search.study.events import Ended, Measured, Retried, Started
from search.study.journal import epoch_lines, read

_DECIDED = (
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
)
PER_STAGE = ("width", "scale", "cardinality")  # may differ from stage to stage
_SEEDED = ("repeat", "seed", "epochs_planned", "epochs")
_TAKEN = (
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
    "trained_in",
)
_RENAMED = {
    "peak_memory": "peak_memory_bytes",
    "energy": "energy_j",
    "preparation": "preparation_seconds",
    "source": "trained_in",
}
_TRAIN_LOSS = "train_loss"
_BESIDE = ("measured_alone", "measured_beside_cores")


def trial_columns(
    metrics: Sequence[Metric],
    counted: Sequence[str] = (),
    measured: Sequence[Objective] = (),
    settings: Sequence[str] = (),
) -> tuple[str, ...]:
    """The columns of `trials`, in order.

    Args:
        metrics: metrics of the run's task; each has one column for the validation and one for
            the test images.
        counted: names of user-defined objectives that the run counted; each has a column.
        measured: what was measured of networks. Each has a column, plus two for its quartiles
            or one for the seconds that a score took.
        settings: settings of a trial besides its network; each has a column.
    """
    scores = _columns(metrics, VALIDATION) | _columns(metrics, TEST)
    each = [one.column + end for one in measured for end in one.ends]
    beside = _BESIDE if any(one.unit for one in measured) else ()
    return (*_DECIDED, *settings, *counted, *each, *beside, *_SEEDED, *scores.values(), *_TAKEN)


def epoch_columns(metrics: Sequence[Metric]) -> tuple[str, ...]:
    """The columns of `epochs`, in order."""
    scores = _columns(metrics, VALIDATION).values()
    return ("trial", "epoch", _TRAIN_LOSS, *scores, "images_per_s", "seconds")


def trials(
    folder: Path,
    *,
    metrics: Sequence[Metric],
    counted: Sequence[str] = (),
    measured: Sequence[Objective] = (),
    settings: Sequence[str] = (),
) -> pd.DataFrame:
    """One row per trial, in starting order; an unfinished trial has status "running".

    Args:
        folder: folder of the run.
        metrics: metrics of the run's task.
        counted: names of user-defined objectives that the run counted.
        measured: what was measured of networks.
        settings: settings of a trial besides its network.

    Returns:
        A frame with `trial_columns`, plus those of MODEL if the run counted them; missing
        results are NaN.

    Raises:
        JournalError: the journal cannot be read.
    """
    scores = _columns(metrics, VALIDATION) | _columns(metrics, TEST)
    known = list(_trials(folder))
    rows = [
        _started(started)
        | _measured(found, measured)
        | (_ended(ended, scores) if ended else {})
        for started, found, ended in known
    ]
    models = [name for name in MODEL if any(name in one.counted for one, *_ in known)]
    counted = tuple(dict.fromkeys([*models, *counted]))
    columns = list(trial_columns(metrics, counted, measured, settings))
    frame = pd.DataFrame(rows, columns=columns)
    ends = [one.column + end for one in measured for end in one.ends]
    own = [name for name in counted if name not in MODEL]  # those of a model are integers
    numbers = [*scores.values(), *own, *ends]
    frame[numbers] = frame[numbers].astype(float)
    frame["seconds_per_epoch"] = frame["seconds"] / frame["epochs"].where(frame["epochs"] > 0)
    return frame


def _trials(folder: Path) -> Iterator[tuple[Started, Measured | None, Ended | None]]:
    """Start, measurement and end of each trial, in the order they started."""
    starts: dict[int, Started] = {}
    measured: dict[int, Measured] = {}
    ends: dict[int, Ended] = {}
    for record in read(folder, epochs=False):
        if isinstance(record, Started):
            starts[record.trial] = record
        elif isinstance(record, Measured):
            measured[record.trial] = record
        elif isinstance(record, Ended):
            ends[record.trial] = record
        elif isinstance(record, Retried):
            ends.pop(record.trial, None)  # running again
    return (
        (started, measured.get(trial), ends.get(trial)) for trial, started in starts.items()
    )


def _measured(found: Measured | None, objectives: Sequence[Objective]) -> dict[str, Any]:
    """The measurements of a network, with quartiles or seconds where they exist."""
    if found is None:
        return {}
    row: dict[str, Any] = {"measured_alone": found.alone, "measured_beside_cores": found.others}
    each = {"": found.values, "_low": found.low, "_high": found.high}  # noqa: PD011 - no frame
    each["_seconds"] = found.seconds
    for one in objectives:
        row |= {one.column + end: each[end].get(one.name) for end in one.ends}
    return row


def of_one_kind(trials: pd.DataFrame) -> pd.DataFrame:
    """Separate numbers from lists in trials, so that each column of a file has one type.

    Args:
        trials: from `trials`, with sizes written as in names: 4, or "1.2.4" for a network with
            one per stage.

    Returns:
        The same rows. `width`, `scale` and `cardinality` are whole numbers, missing where the
        stages differ; next to each, `width_per_stage` and so on hold such lists as text,
        missing where the stages are equal.
    """
    split = trials.copy()
    for name in PER_STAGE:
        lists = trials[name].map(lambda size: isinstance(size, str)).astype(bool)
        split[name] = trials[name].mask(lists).astype("Int64")
        texts = trials[name].astype(object).where(lists)
        split.insert(list(split).index(name) + 1, f"{name}_per_stage", texts)
    return split


def epochs(folder: Path, *, metrics: Sequence[Metric]) -> pd.DataFrame:
    """One row per epoch of each trial, in the order reported: `epoch_columns`.

    If the training loss is a sum, it is followed by a column for each part: `train_<name>`.

    Raises:
        JournalError: the journal cannot be read.
    """
    columns = list(epoch_columns(metrics))
    lines = epoch_lines(folder)
    if not lines:
        return pd.DataFrame(columns=columns)
    try:  # a million lines in seconds; reading them one by one takes ten times as long
        table = arrow_json.read_json(pa.BufferReader(lines)).flatten()
        losses = _parts_of_loss(table)
        at = columns.index(_TRAIN_LOSS) + 1
        columns[at:at] = losses
        scores = {name: name for name in (_TRAIN_LOSS, *losses)}
        scores |= _columns(metrics, VALIDATION)
        found = {column: _values(table, name) for name, column in scores.items()}
        found |= {name: table[name] for name in columns if name not in found}
    except (pa.ArrowException, LookupError):
        read(folder)  # says which line is damaged
        raise
    frame: pd.DataFrame = pa.table(found).to_pandas()
    return frame[columns]


def _parts_of_loss(table: Any) -> list[str]:
    """Names of the losses that `train_loss` is the sum of, where a task has several."""
    names = (name.removeprefix("metrics.") for name in table.column_names)
    return [name for name in names if name.startswith(TRAIN) and name != _TRAIN_LOSS]


def _values(table: Any, name: str) -> Any:
    """A metric by epoch: inside `metrics`, or, in version 1, under its own key."""
    kinds = [key for key in (f"metrics.{name}", name) if key in table.column_names]
    if not kinds:
        return pa.nulls(table.num_rows, pa.float64())
    if any(pa.types.is_string(table[key].type) for key in kinds):
        raise pa.ArrowInvalid(f"{name} is text")  # a cast would take it silently
    return compute.coalesce(*(table[key].cast(pa.float64()) for key in kinds))


def _columns(metrics: Sequence[Metric], split: str) -> dict[str, str]:
    """The column of each metric on one split, by the name under which it is reported."""
    return {f"{split}{m.name}": column_of(f"{split}{m.name}", m.unit) for m in metrics}


def _ended(ended: Ended, scores: dict[str, str]) -> dict[str, Any]:
    values = asdict(ended)
    values |= values.pop("taken") or {}
    metrics = values.pop("metrics")
    row = {_RENAMED.get(key, key): _shown(value) for key, value in values.items()}
    row |= {column: metrics[name] for name, column in scores.items() if name in metrics}
    return row | {"status": ended.status.value}


def _shown(value: Any) -> Any:
    r"""Make text printable for a table: bytes that are not text become `\xe9`."""
    return printable(value) if isinstance(value, str) else value


def _size(value: PerStage) -> int | str:
    """Keep a single number a number, so that its column stays numeric."""
    return written(value) if isinstance(value, tuple) else value


def _started(started: Started) -> dict[str, Any]:
    network = started.network()
    return {
        "trial": started.trial,
        "phase": started.phase,
        "status": "running",
        "trained_in": "",
        "reason": "",
        "name": started.name,
        "depth": network.layers,
        "width": _size(network.width),
        "scale": _size(network.scale),
        "cardinality": _size(network.cardinality),
        "se": network.se,
        "planes": network.planes,
        "skeleton": printable(network.skeleton),
        "params": started.params,
        "macs": started.macs,
        "activations": started.activations,
        "repeat": started.repeat,
        "seed": started.seed,
        "epochs_planned": started.epochs,
        **started.counted,
        **{key: value for key, value in started.own.items() if key != "epochs"},
    }
