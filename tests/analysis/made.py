"""Writes runs of trials that a test says, as search writes them, and reads pages back."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from markupsafe import Markup

from analysis.cards.card import Shown
from analysis.pages import cards, page, run_figures
from analysis.pages.page import Figure, Page, Table
from analysis.runs.run import Run, read_run
from res2net import Architecture, cost
from search.schema.seals import sealed_line
from search.schema.study_plan import StudyPlan
from search.space.configuration import architecture_to_json
from search.study import manifest
from search.study.events import (
    JOURNAL_VERSION,
    Ended,
    Epoch,
    Measured,
    Started,
    Status,
    Taken,
)
from search.study.journal import FILE
from tests.search.spaces import TINY, plan_of

CLOCK = 1.8e9
ERRORS = {1: [30.0, 31.5, 33.0], 2: [20.0, 24.0, 22.5], 3: [50.0, 52.0, 49.0]}
OVERRIDES = ("search.trials=3", "search.seeds=3")
AXES = """\
# Which dimension pays?
study: axes
network: {planes: 2, depth: 20, cardinality: [1, 2], scale: [1, 2, 3], width: 2}
data: {name: synthetic, validation: 64}
training: {epochs: 1, batch_size: 32, lr: 0.1, precision: fp32}
search: {sampler: axes, seeds: 2, seed: 0}
"""
HEADER = "# Does <scale> pay & where?\n#\n# Three seeds each.\n"


def network(width: int, **changes: Any) -> Architecture:
    """A small network, another one for each width."""
    fields: dict[str, Any] = {"depth": 11, "planes": 2, "width": width, "classes": 4}
    return Architecture(**(fields | changes))


def seeded(errors: dict[int, list[float]] = ERRORS) -> list[dict[str, Any]]:
    """A search of three networks, three seeds each."""
    return [
        {"network": network(width), "seed": 10 + i, "repeat": i, "val_error": error,
         "curve": [error + 9, error + 4, error], "test_error": error + 1.25}
        for width, values in errors.items()
        for i, error in enumerate(values)
    ]  # fmt: skip


def made(
    folder: Path,
    trials: Sequence[dict[str, Any]],
    *overrides: str,
    text: str = HEADER + TINY,
    **noted: Any,
) -> Run:
    """A run of these trials.

    Each is a dict: `network`, `seed`, `phase`, `repeat`; `curve` (what ranks on the validation
    images, by epoch), `metrics` of its end, or `val_error` and `test_error` for those two,
    `scores` of its untrained network, any field of its end, and `epochs_planned`; with `status`
    None it is under way.
    """
    folder.mkdir(parents=True, exist_ok=True)
    plan = plan_of(folder, text, *overrides)
    # As search.study.journal writes them, which puts each end on the disk: minutes for 10,000.
    lines: list[dict[str, Any]] = [{"event": "journal", "version": JOURNAL_VERSION}]
    for number, trial in enumerate(trials):
        records = _records(number, dict(trial), plan)
        lines += [record.to_json() for record in records]
    (folder / FILE).write_bytes(b"".join(sealed_line(line) + b"\n" for line in lines))
    command = ["python", "-m", "search.run", "space.yaml", "--set", "a=<b>"]
    manifest.note(folder, plan, space=text, command=command, **noted)
    return read_run(folder)


def _records(number: int, trial: dict[str, Any], plan: StudyPlan) -> list[Any]:
    architecture = trial.pop("network")
    counted = cost(architecture, image_size=plan.data.resolution)
    phase = trial.pop("phase", "search")
    started = Started(
        trial=number,
        phase=phase,
        name=architecture.name,
        architecture=architecture_to_json(architecture),
        seed=trial.pop("seed", 1),
        epochs=trial.pop("epochs_planned", plan.epochs(phase)),
        threads=1,
        params=counted.params,
        macs=counted.macs,
        activations=counted.activations,
        time=CLOCK,
        repeat=trial.pop("repeat", 0),
        counted=trial.pop("counted", {}),
    )
    begin: list[Any] = [started]
    if (taken := trial.pop("scores", None)) is not None:
        begin.append(
            Measured(
                trial=number, values=taken, low={}, high={}, passes={}, place={}, alone=None,
                others=None, first=number, seconds=dict.fromkeys(plan.scores, 0.5),
            )
        )  # fmt: skip
    curve = [{plan.ranking.name: value} for value in trial.pop("curve", ())]
    scores = {key: trial.pop(key) for key in ("val_error", "test_error") if key in trial}
    status = trial.pop("status", Status.OK)
    # As many as such an end takes; of those after the curve nothing is known but the loss.
    least = {Status.OK: started.epochs, Status.PRUNED: 1}.get(status, 0)
    curve += [{}] * (least - len(curve))
    reported = [
        Epoch(
            trial=number, epoch=epoch, images_per_s=100.0, seconds=2.0,
            metrics={"train_loss": 1.0, **values},
        )
        for epoch, values in enumerate(curve, 1)
    ]  # fmt: skip
    if status is None:
        return [*begin, *reported]
    fields: dict[str, Any] = {
        "epochs": len(curve), "seconds": 36.0, "device": "cpu", "time": CLOCK,
        "taken": Taken(peak_memory=2**30, execution="eager"), "metrics": scores,
    } | trial  # fmt: skip
    return [*begin, *reported, Ended(trial=number, status=status, **fields)]


@contextmanager
def undrawn() -> Iterator[None]:
    """Pages but for their drawings, which take most of the time."""

    def unseen(shown: Shown) -> Figure:
        return blank(None, alt=shown.alt, caption=shown.caption, table=cards._table(shown))

    def blank(_: object, *, alt: str, caption: str, table: Table) -> Figure:
        name = f"figure-{table.name}"
        return Figure(name=name, svg=Markup(), caption=caption, table=table, width=500.0)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cards, "card_figure", unseen)
        patch.setattr(run_figures, "card_figure", unseen)
        patch.setattr(page, "figure", blank)
        yield


def parsed(make: Callable[[Any], Page], runs: Run | Sequence[Run]) -> "Parsed":
    """The page of a run or of several, undrawn."""
    with undrawn():
        return Parsed(page.render(make(runs)))


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
