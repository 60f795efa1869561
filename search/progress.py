"""Shows progress: a live display, or plain lines where a console cannot redraw."""

import threading
import time
from collections import Counter
from types import TracebackType
from typing import Self

from rich.console import Console, RenderableType
from rich.live import Live

from res2net.consoles import can_redraw
from search.display import Running, Snapshot, line, named, picture, status
from search.fidelity import fidelity_lines
from search.schema.metrics import Objective, on_test
from search.schema.units import duration, format_amount
from search.schema.wording import how_many
from search.study.events import Ended, Epoch, Lost, Started, Status, Turn
from search.study.study import Study

_SILENCE = 30.0  # seconds without a line, after which a finished epoch gets one
_LONG_SILENCE = 50.0  # and after which one is printed anyway: at least one a minute


class Progress:
    """Shows the progress of a study; the study calls it for each event.

    Args:
        console: where to show it.
        study: tells how many trials are done and left.
        longest_silence: seconds after which a line is printed even if nothing happened, where
            there is no live display.
    """

    def __init__(
        self, console: Console, study: Study, *, longest_silence: float = _LONG_SILENCE
    ) -> None:
        self._console, self._study = console, study
        self._redraws = can_redraw(console)
        self._objective = study.history.ranking
        self._running: dict[int, Running] = {}
        self._begun = set(study.history.live)  # trials that are resumed when they start
        self._turns: dict[int, Turn] = {}
        self._begin = self._said = time.monotonic()
        self._epochs_done, self._seconds = 0, 0.0
        self._counts = Counter[Status]()
        self._told_fidelity = False
        self._rate = 0.0
        self._snapshot = self._take()
        self._live = Live(
            console=console, get_renderable=self._picture, refresh_per_second=2, transient=True
        )
        self._longest_silence, self._over = longest_silence, threading.Event()
        self._lost: BaseException | None = None
        self._clock = threading.Thread(target=self._break_silence, daemon=True)

    def __enter__(self) -> Self:
        if self._redraws:
            self._live.start()
        else:
            self._clock.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._redraws:
            self._live.stop()
        if self._clock.is_alive():
            self._over.set()
            self._clock.join(timeout=1)  # may be blocked, as its reader has left

    def started(self, started: Started) -> None:
        """Show a trial as running, with its progress."""
        history, trial = self._study.history, started.trial
        epochs, goes_on = history.epochs(trial), trial in self._begun
        self._begun.add(trial)
        if not self._study.runs(trial):  # it is taken over from another run, and ends at once
            return
        score = self._shown(history.last_epoch(trial)) if epochs else ""
        self._running[trial] = Running(started, goes_on, epochs, score=score)
        self._snapshot = self._take()
        whole = how_many(started.epochs, "epoch")
        how = f"resumes after {epochs} of {whole}" if goes_on else "starts"
        if epochs and goes_on and self._study.checkpoints.lost(trial):
            how = f"has no checkpoint and repeats its {epochs} of {whole}"
        self._say(
            f"trial {trial} {how}: {named(started)}, "
            f"{format_amount(started.macs)} MACs, {format_amount(started.params)} params"
        )

    def turned(self, started: Started, turn: Turn) -> None:
        """Show the progress within an epoch."""
        self._turns[started.trial] = turn
        self._snapshot = self._take()

    def reported(self, started: Started, epoch: Epoch) -> None:
        """Show the progress after an epoch."""
        trial = started.trial
        if trial not in self._running:  # it is taken over: it says nothing of this machine
            return
        self._running[trial] = Running(
            started,
            self._running[trial].goes_on,
            epoch.epoch,
            score=self._shown(epoch),
            images_per_s=epoch.images_per_s,
        )
        self._turns.pop(trial, None)
        self._epochs_done += 1
        self._seconds += epoch.seconds
        self._snapshot = self._take()
        last = epoch.epoch == started.epochs  # the end of the trial gets its own line
        if not last and time.monotonic() - self._said >= _SILENCE:
            at = f"trial {trial} epoch {epoch.epoch}/{started.epochs}"
            self._say(f"{self._head()} | {at}: {self._objective.label} {self._shown(epoch)}")

    def silent(self, started: Started, seconds: float, *, running: bool) -> None:
        """Say which trial may hang, and how long the study will wait for it."""
        limit = self._study.plan.resources.silence
        said = (
            f"trial {started.trial} has reported nothing for {duration(seconds)}; after "
            f"{duration(limit)} (resources.silence) its worker is killed, and it resumes in "
            "another"
        )
        if not running:
            said = (
                f"trial {started.trial} has waited {duration(seconds)} for a worker, which "
                "finds no room, or hangs while it is set up (reads images, looks for its GPU); "
                "this wait has no limit; after Ctrl-C the same command resumes the study"
            )
        self._say(said, always=True)

    def lost(self, started: Started, lost: Lost) -> None:
        """Say why a trial is no longer running, and that it will be resumed."""
        self._running.pop(started.trial, None)
        self._turns.pop(started.trial, None)
        self._snapshot = self._take()
        again = "" if lost.times == 1 else f" {lost.times} times in a row"
        said = f"trial {started.trial} was lost{again} and resumes later: {lost.reason}"
        self._say(said, always=True)

    def ended(self, started: Started, ended: Ended) -> None:
        """Show the result of a trial."""
        self._running.pop(started.trial, None)
        self._turns.pop(started.trial, None)
        self._counts[ended.status] += 1
        self._snapshot = self._take()
        said = _outcome(started, ended, self._objective)
        self._say(f"{self._head()} | trial {started.trial} {said}")
        self._tell_fidelity()

    def _tell_fidelity(self) -> None:
        """Print once what the first networks show about the scheduler, above any display."""
        findings, asked = self._study.fidelity, self._study.plan.fidelity
        if findings is None or asked is None or self._told_fidelity:
            return
        self._told_fidelity = True
        for text in fidelity_lines(findings, at_least=asked.at_least):
            self._console.print(text, soft_wrap=True, highlight=False)

    def _shown(self, epoch: Epoch) -> str:
        """The ranking metric after an epoch."""
        value = epoch.metrics.get(self._objective.name)
        return "" if value is None else self._objective.text(value)

    def _take(self) -> Snapshot:
        for trial in [one for one in self._running if not self._study.runs(one)]:
            del self._running[trial]  # it is paused
            self._turns.pop(trial, None)
        shares = {trial: turn.share for trial, turn in self._turns.items()}
        running = tuple(
            one._replace(share=shares.get(trial, 0.0)) for trial, one in self._running.items()
        )
        # Keeps the previous rate while every running trial is in its first epoch.
        self._rate = sum(one.images_per_s for one in running) or self._rate
        first = self._study.history.best()
        best = f"{self._objective.label} {self._objective.text(first.value)}" if first else ""
        return Snapshot(
            done=len(self._study.history.ends),
            left=self._study.left() - len(running),
            running=running,
            counts=", ".join(f"{n} {status}" for status, n in self._counts.items()),
            seconds_left=self._seconds_left(sum(shares.values()), beside=len(running)),
            at_most=self._study.remaining.at_most,
            best=best,
            best_name=first.started.name if first else "",
            images_per_s=self._rate,
            begin=self._begin,
        )

    def _seconds_left(self, shares: float, *, beside: int) -> float | None:
        """Estimate from the time of epochs, which excludes the time to start workers."""
        done = self._epochs_done + shares
        if not done:
            return None
        seconds = self._seconds + sum(turn.seconds for turn in self._turns.values())
        left = max(0.0, self._study.remaining.epochs() - shares)
        return left * seconds / done / max(1, beside)

    def _say(self, text: str, *, always: bool = False) -> None:
        """Print a line where there is no live display, which would show what it says.

        Args:
            text: the line.
            always: also print it above a live display, which does not show it.
        """
        if self._lost is not None:
            raise self._lost
        self._said = time.monotonic()
        if always or not self._redraws:
            self._console.print(text, soft_wrap=True, highlight=False)

    def _break_silence(self) -> None:
        """Print a line, from a separate thread, whenever none was printed for too long."""
        while not self._over.wait(self._said + self._longest_silence - time.monotonic()):
            if time.monotonic() - self._said < self._longest_silence:
                continue  # a line was printed meanwhile
            try:
                self._say(line(self._snapshot))
            # An error in printing is raised again at the study's next event.
            except BaseException as error:  # noqa: BLE001 - an error in a thread goes unnoticed
                self._lost = error
                return

    def _head(self) -> str:
        return ", ".join(status(self._snapshot))

    def _picture(self) -> RenderableType:
        return picture(self._snapshot, score=self._objective.label, width=self._console.width)


def _outcome(started: Started, ended: Ended, objective: Objective) -> str:
    if ended.status is Status.OK:
        scores = (
            f"{one.label} {one.text(ended.metrics[one.name])}"
            for one in (objective, on_test(objective))
            if one.name in ended.metrics
        )
        took = f"taken over from {ended.source}" if ended.source else duration(ended.seconds)
        return f"ok: {named(started)}, {', '.join(scores)}, {took}"
    return f"{ended.status}: {named(started)}: {ended.reason}"
