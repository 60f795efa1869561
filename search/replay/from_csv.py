"""Reads the results of a table: a CSV file with a row for each epoch of each trial.

Columns: `network`, by any name that `res2net.parse` reads; `epoch`, counted from 1; `seconds`;
and metrics, which begin with `train_`, `val_` or `test_`. `repeat` counts the trials of a
network from 0, and is 0 by default. The last row of a trial may give its `status`, with a
`reason`, and holds the scores of the test images; a trial that ended before its first epoch has
one row, of epoch 0. Other columns are for people.
"""

import csv
import gzip
import hashlib
import io
import math
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from res2net import Architecture, ArchitectureError, parse
from search.replay.columns import (
    DEVICE,
    EPOCH,
    NETWORK,
    RATE,
    REASON,
    REPEAT,
    REQUIRED,
    SECONDS,
    STATUS,
    is_metric,
)
from search.replay.results import Cell, CellEpoch, Source
from search.schema.metrics import TEST, VALIDATION
from search.schema.parsing import plain
from search.schema.parts import TRUSTED
from search.schema.seals import opened_document
from search.schema.study_plan import StudyPlan
from search.schema.yaml import ConfigError
from search.study.events import CUT_SHORT, Status

ABOUT = "about.json"  # beside a table: by which plan it was trained, and on what device
_DIGITS, _SHOWN = 18, 40  # of a whole number; characters that a message quotes
_ENDS = tuple(status for status in Status if status not in CUT_SHORT)


def csv_source(place: str, path: Path) -> Source:
    """The results of a table.

    Args:
        place: place as the space file names it.
        path: path of a .csv file, or a .csv.gz one.

    Raises:
        ConfigError: it cannot be read; the message gives the line, the value and the rule.
    """
    content = path.read_bytes()
    try:
        unpacked = gzip.decompress(content) if path.suffix == ".gz" else content
        text = unpacked.decode("utf-8-sig")  # some spreadsheets write a byte order mark
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise ConfigError(f"{path}: is damaged ({error}); restore it from a copy") from error
    reader = csv.reader(io.StringIO(text))
    table = _Rows(path)
    try:
        columns = next(reader, [])
        _check_columns(path, columns)
        for values in filter(None, reader):  # a blank line has no values
            if len(values) != len(columns):
                raise _BadCellError(
                    f"has {len(values)} values, but there are {len(columns)} columns"
                )
            table.add(dict(zip(columns, values, strict=True)))
    except (_BadCellError, csv.Error) as error:
        raise ConfigError(f"{path}:{reader.line_num}: {error}; correct this line") from error
    source = Source(place, hashlib.sha256(content).hexdigest(), table.cells())
    return _with_what_is_beside(source, path)


class _BadCellError(ValueError):
    """A row without valid results."""


def _check_columns(path: Path, columns: list[str]) -> None:
    lacking = [name for name in REQUIRED if name not in columns]
    if not any(name.startswith(VALIDATION) for name in columns):
        lacking.append(f"{VALIDATION}... (a metric of the validation images)")
    if lacking:
        raise ConfigError(
            f"{path}:1: has no column {' and no '.join(lacking)}; a table of results has a row "
            f"for each epoch with {', '.join(REQUIRED)} and metrics"
        )
    twice = [name for name in dict.fromkeys(columns) if columns.count(name) > 1]
    if twice:
        raise ConfigError(f"{path}:1: has the column {twice[0]} twice; remove one")


class _Rows:
    """Takes the rows of a table one by one."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._networks: dict[str, Architecture] = {}  # by their names
        self._epochs: dict[tuple[Architecture, int], list[CellEpoch]] = {}
        self._ends: dict[tuple[Architecture, int], dict[str, str]] = {}

    def add(self, row: dict[str, str]) -> None:
        """Add a row.

        Raises:
            _BadCellError: it is invalid, or does not follow from those before it.
        """
        trial = (self._network(row[NETWORK]), _whole(row, REPEAT))
        if trial in self._ends:
            raise _BadCellError(f"{row[NETWORK]}, repeat {trial[1]}, has already ended")
        epochs, epoch = self._epochs.setdefault(trial, []), _whole(row, EPOCH)
        status = row.get(STATUS, "")
        if status not in ("", *_ENDS):
            known = ", ".join(_ENDS)
            raise _BadCellError(f"status is {_shown(status)}; it may be {known}, or empty")
        if epoch or status in ("", Status.OK):
            if epoch != len(epochs) + 1:
                after = f"after {len(epochs)}" if epochs else "as the first"
                raise _BadCellError(f"epoch {epoch} comes {after}; number them 1, 2, 3")
            epochs.append(
                CellEpoch(
                    dict(_metrics(row)),
                    _seconds(row),
                    _number(row, RATE) if row.get(RATE) else 0.0,
                )
            )
        if status:
            self._ends[trial] = row

    def _network(self, name: str) -> Architecture:
        if name not in self._networks:
            try:
                self._networks[name] = parse(name)
            except ArchitectureError as error:
                raise _BadCellError(
                    f"network is {_shown(name)}, which is not a network ({error})"
                ) from error
        return self._networks[name]

    def cells(self) -> dict[Architecture, tuple[Cell, ...]]:
        """The cells of each network.

        Raises:
            ConfigError: the repeats of a network are not 0, 1, 2, ...
        """
        found: dict[Architecture, dict[int, Cell]] = {}
        for (network, repeat), epochs in self._epochs.items():
            end = self._ends.get((network, repeat), {})
            found.setdefault(network, {})[repeat] = _cell(tuple(epochs), end)
        for network, by_repeat in found.items():
            if sorted(by_repeat) != list(range(len(by_repeat))):
                shown = ", ".join(map(str, sorted(by_repeat)))
                raise ConfigError(
                    f"{self._path}: {network.name} has the repeats {shown}; number them 0, 1, 2"
                )
        return {n: tuple(by[i] for i in range(len(by))) for n, by in found.items()}


def _cell(epochs: tuple[CellEpoch, ...], end: dict[str, str]) -> Cell:
    status = Status(end.get(STATUS) or Status.OK)
    metrics: dict[str, float] = {}
    if status is Status.OK and epochs:
        last = epochs[-1].metrics
        metrics = {n: v for n, v in last.items() if n.startswith((VALIDATION, TEST))}
    kept = tuple(
        one._replace(metrics={n: v for n, v in one.metrics.items() if not n.startswith(TEST)})
        for one in epochs
    )
    return Cell(kept, status, end.get(REASON, ""), metrics, end.get(DEVICE, ""))


def _metrics(row: dict[str, str]) -> Iterator[tuple[str, float]]:
    for name, text in row.items():
        if is_metric(name) and text:
            yield name, _number(row, name)


def _whole(row: dict[str, str], column: str) -> int:
    text = row.get(column, "0")
    if not (text.isascii() and text.isdigit()):
        raise _BadCellError(f"{column} is {_shown(text)}, not a whole number from 0 up")
    digits = text.lstrip("0") or "0"
    if len(digits) > _DIGITS:
        raise _BadCellError(f"{column} is {_shown(text)}, more than can be counted")
    return int(digits)


def _seconds(row: dict[str, str]) -> float:
    seconds = _number(row, SECONDS)
    if seconds <= 0:
        raise _BadCellError(f"{SECONDS} is {row[SECONDS]!r}, but an epoch takes some time")
    return seconds


def _number(row: dict[str, str], column: str) -> float:
    try:
        number = float(row[column])
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise _BadCellError(f"{column} is {_shown(row[column])}, not a finite number")
    return number


def _shown(text: str) -> str:
    """A value as a message quotes it: shortened, as a damaged file may hold a long one."""
    return repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}...")


def _with_what_is_beside(source: Source, path: Path) -> Source:
    """The same source with the content of the file beside the table, if there is one."""
    about = path.with_name(ABOUT)
    if not about.exists():
        return source
    try:
        raw: Any = plain(opened_document(about.read_bytes()).data)
        plan = StudyPlan.model_validate(raw["plan"], context=TRUSTED)
        return source._replace(plan=plan, processor=str(raw.get("processor_kind", "")))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ConfigError(
            f"{about}: is damaged ({str(error).partition(chr(10))[0]}); restore it from a "
            "copy, or delete it if you know what the table contains"
        ) from error
