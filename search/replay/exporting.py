"""Writes the results of a finished run as a table for replays and for people.

The folder has: `table.csv.gz`, a row for each epoch of each trial; `networks.csv`, a row for
each network with its cost and, if it was measured, its latency; `journal.jsonl.gz`, the record
that they are made from; and `about.json`: the plan by which all was trained, and on what
device.
"""

import csv
import gzip
import io
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from res2net import Architecture
from res2net.architecture import written
from search.replay.columns import (
    DEVICE,
    EPOCH,
    NETWORK,
    RATE,
    REASON,
    REPEAT,
    SECONDS,
    STATUS,
    is_metric,
)
from search.replay.from_csv import ABOUT, csv_source
from search.replay.from_run import run_source
from search.replay.results import Cell, CellEpoch, Source
from search.replay.sources import TABLE
from search.schema.files import replace_text, replacing
from search.schema.metrics import TEST
from search.schema.seals import sealed_document
from search.schema.study_plan import StudyPlan
from search.schema.yaml import ConfigError
from search.space.survey import survey
from search.study import manifest
from search.study.journal import FILE

NETWORKS, JOURNAL = "networks.csv", f"{FILE}.gz"
_DIMENSIONS = ("skeleton", "depth", "cardinality", "scale", "width")
_NOTED = ("time", "git_commit", "python", "versions", "machine", "processor", "cpus")


class Exported(NamedTuple):
    """A finished run to be exported as a table.

    Attributes:
        folder: folder of the run.
        source: its results.
        plan: the plan by which they were trained.
        starts: starts of its command.
    """

    folder: Path
    source: Source
    plan: StudyPlan
    starts: tuple[dict[str, Any], ...]


def finished_run(folder: Path) -> Exported:
    """A run whose every trial was trained completely, or failed.

    Raises:
        ConfigError: it is not a run, or some trials are running, stopped early, or not started.
    """
    source, noted = run_source(str(folder), folder), manifest.read(folder)
    assert noted is not None, "a run has a manifest"
    there, wanted = sum(map(len, source.cells.values())), noted.plan.search_trials()
    if there < wanted or source.partial:
        raise ConfigError(
            f"{folder}: has {there:,} whole trials of {wanted:,}; a table needs all of them: "
            "let the study end (same command), without early stopping"
        )
    if not any(cell.epochs for ones in source.cells.values() for cell in ones):
        raise ConfigError(
            f"{folder}: none of its trials has an epoch, so there is no result for a table to "
            "hold; see why they failed (python -m analysis.report)"
        )
    return Exported(folder, source, noted.plan, noted.starts)


def write_table(
    run: Exported,
    out: Path,
    *,
    latency: Mapping[Architecture, Mapping[str, float]],
    measured: Mapping[str, Any],
) -> None:
    """Write a run's table, and read it back.

    Args:
        run: the finished run.
        out: folder to write into, created if it does not exist.
        latency: columns of each network in `networks.csv`.
        measured: what `about.json` records about them; empty where nothing was measured.

    Raises:
        ConfigError: the table does not read back as written, because no name distinguishes a
            network from others.
    """
    require_own(run, out)
    out.mkdir(parents=True, exist_ok=True)
    # A table has no column for the seeds of the trainings.
    cells = {
        network: tuple(one._replace(seed=None) for one in ones)
        for network, ones in run.source.cells.items()
    }
    _write_packed(out / TABLE, _csv(_rows(cells)).encode())
    replace_text(out / NETWORKS, _csv(_networks(run.plan, cells, latency)))
    _write_packed(out / JOURNAL, (run.folder / FILE).read_bytes())
    replace_text(out / ABOUT, sealed_document(_about(run, measured)))
    back = csv_source(TABLE, out / TABLE)
    if back.cells != cells:
        odd = next(n for n, ones in cells.items() if back.cells.get(n) != ones)
        raise ConfigError(
            f"{out / TABLE}: cannot be read back as it was written, for instance {odd.name}: "
            "its name does not say all of it; replay such a run from its folder"
        )


def require_own(run: Exported, out: Path) -> None:
    """Refuse to write over the table of another run; the run's own may have gone on since.

    Raises:
        ConfigError: the folder contains one, or its copy of a journal cannot be read.
    """
    copy = out / JOURNAL
    if not copy.exists():
        return
    try:
        before = gzip.decompress(copy.read_bytes())
    except (OSError, EOFError, zlib.error) as error:
        raise ConfigError(
            f"{copy}: cannot be read ({error}); give another folder with --out"
        ) from error
    if not (run.folder / FILE).read_bytes().startswith(before):
        raise ConfigError(
            f"{out}: contains the table of another run; give another folder with --out, or "
            "remove that one"
        )


def _rows(cells: Mapping[Architecture, Sequence[Cell]]) -> Iterator[dict[str, Any]]:
    for repeat in range(max(map(len, cells.values()))):
        for network, ones in cells.items():
            if repeat < len(ones):
                yield from _trial(network, repeat, ones[repeat])


def _trial(network: Architecture, repeat: int, cell: Cell) -> Iterator[dict[str, Any]]:
    fixed = {NETWORK: network.name, **_dimensions(network), REPEAT: repeat}
    ending = {STATUS: cell.status.value, REASON: cell.reason, DEVICE: cell.device}
    scores = {name: v for name, v in cell.metrics.items() if name.startswith(TEST)}
    last = len(cell.epochs)
    for number, epoch in enumerate(cell.epochs, 1):
        row = {**fixed, EPOCH: number, **_epoch(epoch)}
        yield {**row, **scores, **ending} if number == last else row
    if not last:
        yield {**fixed, EPOCH: 0, **ending}


def _epoch(epoch: CellEpoch) -> dict[str, Any]:
    return {**epoch.metrics, SECONDS: epoch.seconds, RATE: epoch.images_per_s}


def _dimensions(network: Architecture) -> dict[str, str]:
    return {key: written(getattr(network, key)) for key in _DIMENSIONS}


def _networks(
    plan: StudyPlan,
    cells: Mapping[Architecture, Sequence[Cell]],
    latency: Mapping[Architecture, Mapping[str, float]],
) -> Iterator[dict[str, Any]]:
    candidates = survey(plan)
    for network in cells:
        candidate = candidates.candidate(network)
        assert candidate is not None, "of the study's space"
        counted = candidates.cost(candidate)._asdict()
        measured = latency.get(network, {})
        yield {NETWORK: network.name, **_dimensions(network), **counted, **measured}


def _csv(rows: Iterable[Mapping[str, Any]]) -> str:
    """Rows as CSV; numbers as Python writes them, which are read back exactly."""
    known = list(rows)
    columns = dict.fromkeys(key for row in known for key in row)
    late = [key for key in columns if is_metric(key)]
    ends = [key for key in (SECONDS, RATE, STATUS, REASON, DEVICE) if key in columns]
    first = [key for key in columns if key not in (*late, *ends)]
    text = io.StringIO()
    writer = csv.DictWriter(text, [*first, *late, *ends], lineterminator="\n", restval="")
    writer.writeheader()
    writer.writerows(known)
    return text.getvalue()


def _write_packed(path: Path, content: bytes) -> None:
    with replacing(path) as file:
        file.write(gzip.compress(content, mtime=0))  # the same bytes at any time of writing


def _about(run: Exported, measured: Mapping[str, Any]) -> dict[str, Any]:
    """What the table holds. Commands are left out, as they contain paths of the machine."""
    cells = [cell for ones in run.source.cells.values() for cell in ones]
    return {
        "plan": run.plan.model_dump(mode="json"),
        "networks": len(run.source.cells),
        "trials": len(cells),
        "epochs": sum(len(cell.epochs) for cell in cells),
        "seconds": sum(epoch.seconds for cell in cells for epoch in cell.epochs),
        "devices": sorted({cell.device for cell in cells}),
        "processor_kind": run.source.processor,
        "journal_sha256": run.source.digest,
        "starts": [{key: start.get(key) for key in _NOTED} for start in run.starts],
        "latency": dict(measured),
    }
