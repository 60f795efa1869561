"""Reads the results of an earlier run from its journal."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from res2net import Architecture
from search.replay.results import Cell, CellEpoch, Source
from search.schema.varying import differing
from search.schema.yaml import ConfigError
from search.study import manifest
from search.study.events import CUT_SHORT, Ended, Epoch, Record, Retried, Started
from search.study.journal import FILE, JournalError, read
from search.study.provenance import was_on_cluster


def run_source(place: str, folder: Path) -> Source:
    """The results of a run, without the trials of its confirmation.

    Args:
        place: place as the space file names it.
        folder: folder of the run.

    Raises:
        ConfigError: it is not a run, or its journal or manifest cannot be read.
    """
    noted = manifest.read(folder)
    if noted is None:
        raise ConfigError(
            f"{folder}: contains no run ({manifest.FILE} is not there); give the folder of a "
            "run, or a .csv table"
        )
    name = differing(noted.plan.network, noted.plan.varied)
    if name:
        raise ConfigError(
            f"{folder}: its trials of one network differ in {name}, but results are taken by "
            f"network; give a run with one value of {name}"
        )
    try:
        records = read(folder)
    except JournalError as error:
        raise ConfigError(str(error)) from error
    started, whole = _trials(records)
    if not noted.plan.execution.replay:  # else its seeds are not those of the trainings
        whole = {
            trial: cell._replace(seed=started[trial].seed) for trial, cell in whole.items()
        }
    digest = hashlib.sha256((folder / FILE).read_bytes()).hexdigest()
    cells = _by_network(started, whole)
    return Source(
        place,
        digest,
        cells,
        noted.plan,
        partial=len(started) - len(whole),
        processor=_processor(noted),
    )


def _processor(noted: manifest.Manifest) -> str:
    """The kind of CPU that trained a run; empty unless it is known to be a single one."""
    plan, starts = noted.plan, noted.starts
    if plan.execution.replay or plan.resources.gpu or any(map(was_on_cluster, starts)):
        return ""
    kinds = {str(start.get("processor_kind", "")) for start in starts}
    return kinds.pop() if len(kinds) == 1 else ""


def _trials(records: Iterable[Record]) -> tuple[dict[int, Started], dict[int, Cell]]:
    """The trials of the search, and the reports of those that were complete or failed."""
    started: dict[int, Started] = {}
    epochs: defaultdict[int, list[CellEpoch]] = defaultdict(list)
    ends: dict[int, Ended] = {}
    for record in records:
        if isinstance(record, Started) and record.phase == "search":
            started[record.trial] = record
        elif isinstance(record, Epoch):
            one = CellEpoch(record.metrics, record.seconds, record.images_per_s)
            epochs[record.trial].append(one)
        elif isinstance(record, Ended):
            ends[record.trial] = record
        elif isinstance(record, Retried):  # it is live again
            del ends[record.trial]
    whole = {
        trial: Cell(tuple(epochs[trial]), end.status, end.reason, end.metrics, end.device)
        for trial, end in ends.items()
        if end.status not in CUT_SHORT and trial in started
    }
    return started, whole


def _by_network(
    started: dict[int, Started], whole: dict[int, Cell]
) -> dict[Architecture, tuple[Cell, ...]]:
    """The cells of each network by repeat, up to the first missing repeat."""
    found: defaultdict[Architecture, dict[int, Cell]] = defaultdict(dict)
    for trial, cell in whole.items():
        found[started[trial].network()][started[trial].repeat] = cell
    cells = {}
    for network, by_repeat in found.items():
        there = 0
        while there in by_repeat:
            there += 1
        if there:
            cells[network] = tuple(by_repeat[repeat] for repeat in range(there))
    return cells
