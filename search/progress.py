"""Shows progress: a live display, or plain lines where there is no terminal."""

import time
from collections import Counter
from types import TracebackType
from typing import NamedTuple, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from search.schema.metrics import Objective, on_test
from search.schema.units import duration, format_amount
from search.study.events import Ended, Epoch, Started, Status, Turn
from search.study.study import Study

_SILENCE = 30.0  # seconds without a line after which a finished epoch is worth one
_LONG_SILENCE = 60.0  # and after which part of one is


class _Snapshot(NamedTuple):
    """What is shown, taken when something happens.

    The display has a thread of its own, which must not read what the study is changing.
    """

    done: int
    left: int  # neither done nor running
    epochs_left: float
    counts: str  # how those of this start ended
    running: tuple[tuple[Started, Epoch | None, float], ...]  # and the share of the next epoch


class Progress:
    """Told by the study what happens; shows it.

    Args:
        console: where to show it.
        study: gives how much is done and left.
    """

    def __init__(self, console: Console, study: Study) -> None:
        self._console, self._study = console, study
        self._objective = study.history.ranking
        self._best: tuple[float, str] | None = None
        self._rank()
        self._running: dict[int, tuple[Started, Epoch | None]] = {}
        self._turns: dict[int, Turn] = {}
        self._begin = self._said = time.monotonic()
        self._epochs_done, self._seconds = 0, 0.0
        self._counts = Counter[Status]()
        self._rate = 0.0
        self._snapshot = self._take()
        self._live = Live(
            console=console, get_renderable=self._picture, refresh_per_second=2, transient=True
        )

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._console.is_terminal:
            self._live.stop()

    def started(self, started: Started) -> None:
        """Show a trial as running."""
        self._running[started.trial] = (started, None)
        self._snapshot = self._take()
        again = f" (seed {started.repeat + 1})" if started.repeat else ""
        self._say(
            f"trial {started.trial} starts: {started.name}{again}, "
            f"{format_amount(started.macs)} MACs, {format_amount(started.params)} params"
        )

    def turned(self, started: Started, turn: Turn) -> None:
        """Show how far it is inside an epoch; long ones are worth a line now and then."""
        self._turns[started.trial] = turn
        self._snapshot = self._take()
        if time.monotonic() - self._said >= _LONG_SILENCE:
            _, epoch = self._running[started.trial]
            done = (epoch.epoch if epoch else 0) + turn.share
            at = f"trial {started.trial} epoch {done:.2f}/{started.epochs}"
            self._say(f"{self._head()} | {at}")

    def reported(self, started: Started, epoch: Epoch) -> None:
        """Show how far it is."""
        self._running[started.trial] = (started, epoch)
        self._turns.pop(started.trial, None)
        self._epochs_done += 1
        self._seconds += epoch.seconds
        self._snapshot = self._take()
        last = epoch.epoch == started.epochs  # its end is a line of its own
        if not last and time.monotonic() - self._said >= _SILENCE:
            at = f"trial {started.trial} epoch {epoch.epoch}/{started.epochs}"
            self._say(f"{self._head()} | {at}: {self._objective.label} {self._shown(epoch)}")

    def ended(self, started: Started, ended: Ended) -> None:
        """Show its result."""
        self._running.pop(started.trial, None)
        self._turns.pop(started.trial, None)
        self._counts[ended.status] += 1
        whole = ended.status is Status.OK and started.phase == "search"
        value = self._study.history.value(ended)
        if whole and started.repeat:  # a mean over seeds may have become worse
            self._rank()
        elif whole and value is not None and self._beats(value):
            self._best = (value, started.name)
        self._snapshot = self._take()
        said = _outcome(started, ended, self._objective)
        self._say(f"{self._head()} | trial {started.trial} {said}")

    def _rank(self) -> None:
        ranked = self._study.history.ranked()
        self._best = (ranked[0].value, ranked[0].started.name) if ranked else None

    def _beats(self, value: float) -> bool:
        loss = self._objective.loss
        return self._best is None or loss(value) < loss(self._best[0])

    def _shown(self, epoch: Epoch) -> str:
        """What ranks, after an epoch."""
        value = epoch.metrics.get(self._objective.name)
        return "" if value is None else self._objective.text(value)

    def _take(self) -> _Snapshot:
        shares = {trial: turn.share for trial, turn in self._turns.items()}
        running = tuple(
            (started, epoch, shares.get(trial, 0.0))
            for trial, (started, epoch) in self._running.items()
        )
        # The rate of a moment ago, while every running trial is in its first epoch.
        self._rate = sum(epoch.images_per_s for _, epoch, _ in running if epoch) or self._rate
        return _Snapshot(
            done=len(self._study.history.ends),
            counts=", ".join(f"{n} {status}" for status, n in self._counts.items()),
            left=self._study.left() - len(running),
            epochs_left=self._study.epochs_left() - sum(shares.values()),
            running=running,
        )

    def _say(self, text: str) -> None:
        """In the terminal the display says it; elsewhere each event is a line."""
        self._said = time.monotonic()
        if not self._console.is_terminal:
            self._console.print(text, soft_wrap=True, highlight=False)

    def _head(self) -> str:
        now = self._snapshot
        phrases = [f"{now.done} done", f"{len(now.running)} running", f"{now.left} waiting"]
        done = self._epochs_done + sum(turn.share for turn in self._turns.values())
        if done:
            # By the epochs' own time: starting workers is no measure of what is left.
            beside = max(1, len(now.running))
            seconds = self._seconds + sum(turn.seconds for turn in self._turns.values())
            left = now.epochs_left * seconds / done / beside
            phrases.append(f"about {duration(left)} left")
        phrases.append(f"{duration(time.monotonic() - self._begin)} gone")
        if self._best:
            phrases.append(
                f"best {self._objective.label} {self._objective.text(self._best[0])}"
            )
        if self._rate:
            phrases.append(f"{self._rate:,.0f} images/s")
        return ", ".join(phrases)

    def _picture(self) -> RenderableType:
        now = self._snapshot
        table = Table(box=None, padding=(0, 2, 0, 0))
        for column in ("trial", "network", "MACs", "epoch", self._objective.label, "images/s"):
            table.add_column(column, justify="left" if column == "network" else "right")
        for started, epoch, share in now.running:
            done = f"{(epoch.epoch if epoch else 0) + share:.2f}" if share else ""
            table.add_row(
                str(started.trial),
                started.name,
                format_amount(started.macs),
                f"{done or (epoch.epoch if epoch else 0)}/{started.epochs}",
                self._shown(epoch) if epoch else "",
                f"{epoch.images_per_s:,.0f}" if epoch else "",
            )
        total = now.done + len(now.running) + now.left
        bar = Table.grid(padding=(0, 2, 0, 0))
        best = f"best so far: {self._best[1]}" if self._best else "no trial finished yet"
        bar.add_row(ProgressBar(total=total, completed=now.done, width=24), best)
        head = Text(self._head(), no_wrap=True, overflow="ellipsis")
        return Group(bar, head, now.counts, table)


def _outcome(started: Started, ended: Ended, objective: Objective) -> str:
    if ended.status is Status.OK:
        scores = (
            f"{one.label} {one.text(ended.metrics[one.name])}"
            for one in (objective, on_test(objective))
            if one.name in ended.metrics
        )
        return f"ok: {started.name}, {', '.join(scores)}, {duration(ended.seconds)}"
    return f"{ended.status}: {started.name}: {ended.reason}"
