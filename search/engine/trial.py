"""One trial, step by step: build, train, report. Every kind of failure is a named outcome.

A trial is a function of (architecture, recipe, data, seed). It may be stopped at any moment
and resumes from its checkpoint.
"""

import contextlib
import statistics
import time
from collections.abc import Iterable
from typing import Any

import torch

from res2net.timing import return_freed_memory
from search.engine.bench import Bench, device_kind, device_name
from search.engine.failures import outcome, raise_if_of_the_machine
from search.engine.latency import measured_of
from search.engine.meter import Meter, utilisation
from search.engine.saved import FORMAT, furthest
from search.engine.training import Trainer
from search.engine.weights import save_weights
from search.scenes import pictured as pictures
from search.schema.metrics import TEST
from search.schema.remote import File
from search.study.checkpoints import remove_checkpoints, save_checkpoint
from search.study.events import Ended, Epoch, Measured, Started, Status, Taken, Turn
from search.tasks.memory import TOO_FEW, free_memory

# A crash loses at most this much training time, plus one turn.
_CHECKPOINT_SECONDS = 20.0
_TURN_SECONDS = 5.0  # after which a trial may be stopped, even in the middle of an epoch


class Trial:
    """A running trial.

    Args:
        started: its start record.
        bench: recipe, images and device, shared with the trials before and after.
        checkpoint: file to resume from, if it exists and is sound, and to save to; the previous
            checkpoint is kept beside it (`search.study.checkpoints`).
        reported: epochs that the journal has; later ones in the checkpoint, which were not
            reported because of a stop, are reported first.
        weights: file for the weights of a trial that ends complete, None to keep none.
        known: earlier measurements of its network.
    """

    def __init__(
        self,
        started: Started,
        *,
        bench: Bench,
        checkpoint: File,
        reported: int = 0,
        weights: File | None = None,
        known: Iterable[Measured] = (),
    ) -> None:
        self.started = started
        self._reported = reported
        self._bench, self._checkpoint, self._weights = bench, checkpoint, weights
        self._known, self._to_measure = tuple(known), bool(bench.measured or bench.scores)
        self._measured: Measured | None = None  # of the newest turn
        self._trainer: Trainer | None = None
        self._epochs: list[Epoch] = []
        self._unreported: list[Epoch] = []
        self._saved = time.monotonic()
        self._kept = (0, 0.0)  # progress that the newest checkpoint holds
        self._spoilt, self._note = False, ""
        self._pieces = bench.recipe.accumulate
        self._energy: float | None = 0.0  # used by earlier processes
        self._meter: Meter | None = None

    def step(self) -> tuple[Epoch | None, Ended | None]:
        """Train to the end of the epoch, or for a few seconds of a long one.

        Where the study wants measurements of the network, the first step makes them and `turn`
        holds them: the driver may end the trial before it trains.

        Returns:
            The epoch, None where it was not finished; and the end, None if the trial continues.

        Raises:
            LostError: the machine failed, not the network.
            OSError: there is no room to keep the weights.
        """
        measuring, self._measured = self._to_measure, None
        try:
            return self._measure() if measuring else self._step()
        except Exception as error:  # noqa: BLE001 - the study continues after any error
            raise_if_of_the_machine(error)
            status, reason = outcome(error)
        if measuring:
            reason = f"could not be measured: {reason}"
        elif status is Status.OUT_OF_MEMORY and self._pieces < self._bench.recipe.batch_size:
            self._halve()
            return None, None
        cut = self._pieces > self._bench.recipe.accumulate
        if cut and TOO_FEW in reason:
            status = Status.OUT_OF_MEMORY
        return None, self._end(status, reason)

    @property
    def taken(self) -> Taken:
        """What the trial took so far."""
        rate = _rate(self._epochs)
        device, recipe = self._bench.device, self._bench.recipe
        measured = rate is not None and recipe.precision == "bf16"
        execution = self._trainer.execution if self._trainer else ""
        read = self._meter.read(graphs=execution == "graphs") if self._meter else None
        return Taken(
            images_per_s=rate,
            peak_memory=read.peak_memory if read else None,
            energy=self._energy_so_far(),
            utilisation=utilisation(device, macs=self.started.macs, images_per_s=rate or 0.0)
            if measured
            else None,
            execution=execution,
            preparation=self._trainer.preparation if self._trainer else 0.0,
            parts=self._pieces,
        )

    @property
    def turn(self) -> Turn:
        """The progress within an epoch, and the measurements of the newest step."""
        share, seconds = self._trainer.under_way if self._trainer else (0.0, 0.0)
        number, measured = self.started.trial, self._measured
        return Turn(trial=number, share=share, seconds=seconds, measured=measured)

    def save(self) -> None:
        """Write a checkpoint of the training so far, whole or not at all.

        Also after its last epoch: if its end is not heard of, it resumes from there and only
        scores the test images. A trial that failed leaves none.
        """
        if self._trainer is None or self._spoilt or self._progress == self._kept:
            return
        state = {
            "format": FORMAT,
            "started": self.started.to_json(),
            "device": device_kind(self._bench.device),
            "epochs": [epoch.to_json() for epoch in self._epochs],
            "pieces": self._pieces,
            "energy": self._energy_so_far(),
            **self._trainer.state(),
        }
        save_checkpoint(self._checkpoint, lambda file: torch.save(state, file))
        self._saved, self._kept = time.monotonic(), self._progress

    def try_to_save(self) -> None:
        """Save if possible: a full disk must not end the trial, only risk its progress."""
        self._saved = time.monotonic()
        with contextlib.suppress(OSError, RuntimeError):  # torch's writer raises the latter
            self.save()

    def _measure(self) -> tuple[None, None]:
        torch.set_num_threads(self.started.threads)
        self._measured = measured_of(self.started, self._bench, self._known)
        self._to_measure = False
        return None, None

    def _step(self) -> tuple[Epoch | None, Ended | None]:
        if self._trainer is None:
            self._trainer = self._make()
        if self._unreported:
            return self._unreported.pop(0), None
        epoch = None
        if len(self._epochs) < self.started.epochs:
            epoch = self._trainer.epoch(trial=self.started.trial, seconds=_TURN_SECONDS)
        if epoch is not None:
            self._epochs.append(epoch)
        if len(self._epochs) == self.started.epochs:
            return epoch, self._end_whole(self._trainer)
        if time.monotonic() - self._saved >= _CHECKPOINT_SECONDS:
            self.try_to_save()
        return epoch, None

    def _make(self) -> Trainer:
        # How a sum of floats is divided affects its result: the number of threads belongs to
        # the trial, not to the machine it happens to run on.
        started = self.started
        torch.set_num_threads(started.threads)
        if self._bench.device.type == "cuda":
            free_memory()  # networks with graphs have reference cycles
        else:
            return_freed_memory()  # otherwise the peak of this trial is that of earlier ones
        # Created here, when nothing of the previous trial is left on the device.
        self._meter = Meter(self._bench.device, alone=self._bench.share >= 1)
        state, self._note = furthest(self._checkpoint, started, self._bench.device)
        if state is not None:
            self._pieces = state["pieces"]
        trainer = Trainer(
            started.network(),
            self._bench,
            epochs=started.epochs,
            seed=started.seed,
            pieces=self._pieces,
        )
        self._epochs, self._kept = [], (0, 0.0)
        if state is not None:
            trainer.load_state(state)
            self._epochs = [Epoch.from_json(epoch) for epoch in state["epochs"]]
            self._unreported = self._epochs[self._reported :]
            self._energy = state["energy"]
            self._kept = len(self._epochs), trainer.under_way[0]
        return trainer

    @property
    def _progress(self) -> tuple[int, float]:
        """Finished epochs, and the share of the next one."""
        return len(self._epochs), self._trainer.under_way[0] if self._trainer else 0.0

    def _halve(self) -> None:
        """Start again with pieces of half as many images.

        Not from the checkpoint: when memory runs out depends on what else runs, and a result
        must not.
        """
        self._trainer, self._energy = None, self._energy_so_far()
        self._meter = None  # its energy was just read
        with contextlib.suppress(OSError):  # memory runs out again if it is resumed from it
            remove_checkpoints(self._checkpoint)
        self._pieces = min(2 * self._pieces, self._bench.recipe.batch_size)
        free_memory()

    def _energy_so_far(self) -> float | None:
        now = self._meter.read().energy if self._meter else 0.0
        return None if now is None or self._energy is None else self._energy + now

    def _end_whole(self, trainer: Trainer) -> Ended:
        """Score the test images, once, and keep the weights that were scored."""
        scores = trainer.scores("test")
        metrics = dict(self._epochs[-1].validation)
        metrics |= {f"{TEST}{name}": score for name, score in scores.items()}
        if self._weights is not None:
            facts = {**self._bench.about, **self._bench.task.facts()}
            save_weights(self._weights, trainer.trained, self.started, metrics, facts)
            self._keep_pictures(trainer, self._weights, facts)
        return self._end(Status.OK, self._note, metrics)

    def _keep_pictures(self, trainer: Trainer, weights: File, facts: dict[str, Any]) -> None:
        """Keep pictures; an error in them does not affect the trained trial."""
        try:
            if pictured := trainer.pictured(pictures.COUNT):
                pictures.save(weights.with_suffix(pictures.SUFFIX), pictured, facts)
        except Exception as error:  # noqa: BLE001 - the task may be foreign
            self._note = f"no pictures were kept: {type(error).__name__}: {error}"

    def _end(
        self, status: Status, reason: str, metrics: dict[str, float] | None = None
    ) -> Ended:
        self._spoilt = status is not Status.OK
        return Ended(
            trial=self.started.trial,
            status=status,
            reason=reason,
            epochs=len(self._epochs),
            metrics=metrics or {},
            seconds=sum(epoch.seconds for epoch in self._epochs),
            device=device_name(self._bench.device),
            time=time.time(),
            taken=self.taken,
        )


def _rate(epochs: list[Epoch]) -> float | None:
    """Images per second over all epochs, each with the same number of images."""
    return statistics.harmonic_mean(e.images_per_s for e in epochs) if epochs else None
