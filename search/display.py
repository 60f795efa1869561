"""Draws the progress of a study to fit the width of the terminal: live display and phrases.

Takes a `Snapshot`, made when something happened; gives phrases and tables. The display has its
own thread, which must not read what the study is changing.
"""

import time
from collections.abc import Sequence
from typing import NamedTuple

from rich.console import Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from search.schema.settings import suffix
from search.schema.units import duration, format_amount
from search.study.events import Started

_NARROW = 60  # columns; a narrower terminal shows only the most important ones
_BAR = 24  # width of the bar in columns
_LISTED = 3  # at most so many running trials are listed in one line


class Running(NamedTuple):
    """A running trial and its progress.

    Attributes:
        started: the journal record of its start.
        goes_on: whether it was begun before, in an earlier start or before a pause.
        epochs: finished epochs, including those of earlier starts.
        share: share of the current epoch that is done, 0 to 1.
        score: the ranking metric after the last finished epoch, as text; empty before that.
        images_per_s: images per second in its last epoch of this start; 0 before that.
    """

    started: Started
    goes_on: bool
    epochs: int
    share: float = 0.0
    score: str = ""
    images_per_s: float = 0.0

    @property
    def progress(self) -> str:
        """Finished epochs out of all: `3.25/30`."""
        done = f"{self.epochs + self.share:.2f}" if self.share else str(self.epochs)
        return f"{done}/{self.started.epochs}"

    @property
    def line(self) -> str:
        """The progress in words."""
        score = f": {self.score}" if self.score else ""
        return f"trial {self.started.trial} epoch {self.progress}{score}"


class Snapshot(NamedTuple):
    """The state of the study that the display shows."""

    done: int
    left: int  # neither done nor running
    running: tuple[Running, ...]
    counts: str  # how the trials of this start ended
    seconds_left: float | None  # estimated from the time epochs took; None before any is done
    at_most: bool  # whether less may be left, as trials may end early
    best: str  # ranking metric of the best network; empty before there is one
    best_name: str
    images_per_s: float  # of all running trials together
    begin: float  # on the monotonic clock


def named(started: Started, *, goes_on: bool = False) -> str:
    """The network of a trial and, in brackets, what distinguishes the trial."""
    own = {key: v for key, v in started.own.items() if suffix(key, v) not in started.name}
    special = [
        "confirmation" if started.phase == "confirm" else "",
        *(f"{key} {value:.3g}" for key, value in own.items()),
        f"seed {started.repeat + 1}" if started.repeat else "",
        "resumed" if goes_on else "",
    ]
    said = ", ".join(filter(None, special))
    return f"{started.name} ({said})" if said else started.name


def status(now: Snapshot) -> list[str]:
    """The progress of the study as phrases, the most important first."""
    phrases = [f"{now.done} done", f"{len(now.running)} running", f"{now.left} waiting"]
    if now.seconds_left is not None:
        phrases.append(
            f"{'at most' if now.at_most else 'about'} {duration(now.seconds_left)} left"
        )
    phrases.append(f"{duration(time.monotonic() - now.begin)} elapsed")
    if now.best:
        phrases.append(f"best {now.best}")
    if now.images_per_s:
        phrases.append(f"{now.images_per_s:,.0f} images/s")
    return phrases


def line(now: Snapshot) -> str:
    """The progress of the study and its running trials, in one line."""
    shown = [one.line for one in now.running[:_LISTED]]
    more = len(now.running) - len(shown)
    trials = "; ".join([*shown, *([f"and {more} more"] if more else [])])
    return ", ".join(status(now)) + (f" | {trials}" if trials else "")


def picture(now: Snapshot, *, score: str, width: int) -> RenderableType:
    """Draw the live display.

    Args:
        now: what to show.
        score: title of the ranking metric.
        width: columns of the terminal. What does not fit on one line is wrapped; a narrow
            terminal shows less of each trial.
    """
    total = now.done + len(now.running) + now.left
    bar = ProgressBar(total=total, completed=now.done, width=min(_BAR, width))
    said = f"best so far: {now.best_name}" if now.best_name else "no trial finished yet"
    best = Text(said, overflow="fold")
    top: RenderableType = Group(bar, best)
    if width >= _NARROW:
        grid = Table.grid(padding=(0, 2, 0, 0))
        grid.add_row(bar, best)
        top = grid
    lines = [Text(one, overflow="fold") for one in _filled(status(now), width)]
    return Group(top, *lines, Text(now.counts), _trials(now.running, score=score, width=width))


def _trials(running: Sequence[Running], *, score: str, width: int) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0))
    wide = width >= _NARROW
    for column in ("trial", "network", *(["MACs"] * wide), "epoch"):
        name = column == "network"  # may be long, so it is wrapped
        table.add_column(
            column, justify="left" if name else "right", no_wrap=not name, overflow="fold"
        )
    for column in (score, "images/s") if wide else ():
        table.add_column(column, justify="right", overflow="fold")
    for one in running:
        cells = [str(one.started.trial), named(one.started, goes_on=one.goes_on), one.progress]
        if wide:
            rate = f"{one.images_per_s:,.0f}" if one.images_per_s else ""
            cells.insert(2, format_amount(one.started.macs))
            cells += [one.score, rate]
        table.add_row(*cells)
    return table


def _filled(phrases: Sequence[str], width: int) -> list[str]:
    """Join phrases into lines of at most `width` columns, without breaking a phrase."""
    lines: list[str] = []
    for phrase in phrases:
        if lines and len(lines[-1]) + 2 + len(phrase) <= width - 1:  # room for its comma
            lines[-1] += f", {phrase}"
        else:
            lines.append(phrase)
    return [f"{one}," for one in lines[:-1]] + lines[-1:]
