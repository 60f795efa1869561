"""Runs without training, written as search writes them, and pages read back."""

from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from analysis.runs import Run, read_run
from res2net import Architecture, cost
from search import manifest
from search.journal import Journal
from search.records import Ended, Epoch, Started, Status, Taken, architecture_to_json
from tests.search.spaces import TINY, config_of

CLOCK = 1.8e9
HEADER = "# Does <scale> pay & where?\n#\n# Three seeds each.\n"


def network(width: int, **changes: Any) -> Architecture:
    """A small network, another one for each width."""
    fields: dict[str, Any] = {"depth": 11, "planes": 2, "width": width, "classes": 4}
    return Architecture(**(fields | changes))


def made(
    folder: Path,
    trials: Sequence[dict[str, Any]],
    *overrides: str,
    text: str = HEADER + TINY,
    **noted: Any,
) -> Run:
    """A run of these trials.

    Each is a dict: `network`, `seed`, `phase`, `repeat`; `curve` (validation errors by epoch)
    and any field of its end; with `status` None it is under way.
    """
    folder.mkdir(parents=True, exist_ok=True)
    config = config_of(folder, text, *overrides)
    with Journal(folder) as journal:
        for number, trial in enumerate(trials):
            for record in _records(number, dict(trial), config.training.epochs):
                journal.append(record)
    path = folder / "space.yaml"
    command = ["python", "-m", "search.run", "space.yaml", "--set", "a=<b>"]
    manifest.note(folder, config, space=path, command=command, **noted)
    return read_run(folder)


def _records(number: int, trial: dict[str, Any], epochs: int) -> list[Any]:
    architecture = trial.pop("network")
    counted = cost(architecture, image_size=32)
    started = Started(
        trial=number,
        phase=trial.pop("phase", "search"),
        name=architecture.name,
        architecture=architecture_to_json(architecture),
        seed=trial.pop("seed", 1),
        epochs=epochs,
        threads=1,
        params=counted.params,
        macs=counted.macs,
        activations=counted.activations,
        time=CLOCK,
        repeat=trial.pop("repeat", 0),
    )
    curve = trial.pop("curve", ())
    reported = [
        Epoch(
            trial=number, epoch=epoch, train_loss=1.0, val_error=error, val_error_top5=1.0,
            images_per_s=100.0, seconds=2.0,
        )
        for epoch, error in enumerate(curve, 1)
    ]  # fmt: skip
    status = trial.pop("status", Status.OK)
    if status is None:
        return [started, *reported]
    fields: dict[str, Any] = {
        "epochs": len(curve), "seconds": 36.0, "device": "cpu", "time": CLOCK,
        "taken": Taken(peak_memory=2**30, execution="eager"),
    } | trial  # fmt: skip
    return [started, *reported, Ended(trial=number, status=status, **fields)]


class Parsed(HTMLParser):
    """A page as a reader of it sees it.

    Attributes:
        tables: by id: the rows of cells; the first are the titles.
        text: of each section by id, and of the header as "".
        tags: every opening tag with its attributes.
    """

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tables: dict[str, list[list[str]]] = {}
        self.text: dict[str, str] = {"": ""}
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self._section, self._table = "", ""
        self._in_cell, self._unread = False, 0
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        self.tags.append((tag, named))
        if tag == "section":
            self._section = named["id"] or ""
            self.text[self._section] = ""
        elif tag == "table":
            self._table = named["id"] or ""
            self.tables[self._table] = []
        elif tag == "tr":
            self.tables[self._table].append([])
        elif tag in ("td", "th"):
            self.tables[self._table][-1].append("")
        elif tag in ("style", "script", "title"):
            self._unread += 1
        self._in_cell = tag in ("td", "th")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("style", "script", "title"):
            self._unread -= 1
        self._in_cell = False

    def handle_data(self, data: str) -> None:
        if self._unread:
            return
        if self._in_cell:
            self.tables[self._table][-1][-1] += data.rstrip("\n")
        else:
            self.text[self._section] += data
