"""One network trained on one split: the same result for the same arguments, whenever.

Every random choice of an epoch comes from (seed, epoch), so that an interrupted training goes
on from its last step as if nothing had happened. Nothing leaves the device inside an epoch.
"""

import itertools
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from res2net import Architecture, build
from search.engine.bench import Bench, Held
from search.engine.evaluation import DivergedError, errors
from search.engine.execution import Prepared, autocast, chosen, dtype_of, prepare
from search.engine.loss import mixed_loss
from search.engine.optimizer import Average, make_optimizer
from search.engine.schedule import learning_rate
from search.images.augmentation import Targets
from search.images.draws import Draws, draw
from search.images.stores import Gathered
from search.schema.seeds import seed_of
from search.study.events import Epoch

_WARM_UP = 3  # steps before the ones that are timed


@dataclass(slots=True)
class _UnderWay:
    """An epoch that is not finished; number and step (taken ones) count from 1."""

    number: int
    step: int = 0
    total: Tensor | None = None  # of the losses of its steps
    seconds: float = 0.0
    steps: int = 0
    batches: Iterator[tuple[Gathered, Tensor, Draws]] | None = None


class Trainer:
    """A network and its optimiser on a bench.

    Args:
        architecture: of the network.
        bench: recipe, images, device.
        epochs: length of the schedule.
        seed: of weights, order and augmentation.
        parts: that each batch is cut into, the recipe's `accumulate` where not given; they pass
            the network one after another, and the weights move once, after the last. Norms
            see the images of a part, not of a batch.
    """

    def __init__(
        self,
        architecture: Architecture,
        bench: Bench,
        *,
        epochs: int,
        seed: int,
        parts: int | None = None,
    ) -> None:
        self._recipe, self._bench, self._device = bench.recipe, bench, bench.device
        self._epochs, self._seed = epochs, seed
        self._parts = parts or bench.recipe.accumulate
        network: nn.Module = build(
            architecture, seed=seed_of(seed, "weights"), device=bench.device
        )
        dtype = dtype_of(bench.recipe.precision)
        self._network = network.to(dtype).to(memory_format=torch.channels_last)
        self._optimizer = make_optimizer(self._network, bench.recipe)
        ema = bench.recipe.ema
        self._average = None if ema is None else Average(self._network, ema)
        self._finished = 0
        self._under_way: _UnderWay | None = None
        self._prepared: Prepared | None = None

    @property
    def execution(self) -> str:
        """How the training pass runs: eager, graphs or compile; empty before the first."""
        return self._prepared.execution if self._prepared else ""

    @property
    def preparation(self) -> float:
        """Seconds that capturing or compiling took; no epoch counts them."""
        return self._prepared.seconds if self._prepared else 0.0

    @property
    def under_way(self) -> tuple[float, float]:
        """Share of the epoch under way that is done, and the seconds it took."""
        now = self._under_way
        return (now.step / now.steps, now.seconds) if now and now.steps else (0.0, 0.0)

    def epoch(self, *, trial: int, seconds: float = math.inf) -> Epoch | None:
        """Train on, to the end of the epoch or for about so many seconds.

        Returns:
            The epoch with its validation errors; None where it is not finished, and the next
            call goes on with it.

        Raises:
            DivergedError: the training loss became infinite or not a number.
        """
        if self._under_way is None:
            self._under_way = _UnderWay(self._finished + 1)
        now = self._under_way
        before = self.preparation
        start = time.perf_counter()
        done = self._train(now, start + seconds)
        start += self.preparation - before
        if not done:
            now.seconds += time.perf_counter() - start
            return None
        assert now.total is not None, "an epoch has steps"
        loss = now.total.item() / now.step  # waits for the device
        now.seconds += time.perf_counter() - start
        if not math.isfinite(loss):
            raise DivergedError(f"the training loss of epoch {now.number} is {loss}")
        start = time.perf_counter()
        error, error_top5 = self._errors(self._bench.validation)
        self._finished, self._under_way = now.number, None
        return Epoch(
            trial=trial,
            epoch=now.number,
            train_loss=loss,
            val_error=error,
            val_error_top5=error_top5,
            images_per_s=now.step * self._batch_size / now.seconds,
            seconds=now.seconds + time.perf_counter() - start,
        )

    def rehearse(self, steps: int) -> list[float]:
        """Seconds that each of some training steps takes; the network is of no use afterwards.

        Args:
            steps: to time, after a few that warm up; fewer where an epoch has fewer.
        """
        now = _UnderWay(1)
        self._begin(now)
        assert now.batches is not None, "begun"
        self._network.train()
        taken = []
        for gathered, labels, draws in itertools.islice(now.batches, _WARM_UP + steps):
            start = time.perf_counter()
            self._step(gathered, labels, draws, now).item()  # waits for the device
            taken.append(time.perf_counter() - start)
        return taken[min(_WARM_UP, len(taken) - 1) :]

    def test(self) -> tuple[float, float]:
        """Top-1 and top-5 error in percent on the test images; call it once, at the end."""
        return self._errors(self._bench.test)

    def state(self) -> dict[str, Any]:
        """Weights, optimiser, average and position: all that the rest of the training needs."""
        now = self._under_way
        return {
            "network": self._network.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "average": self._average.state() if self._average else None,
            "finished": self._finished,
            "under_way": (now.step, now.total, now.seconds) if now else None,
        }

    def load_state(self, state: dict[str, Any]) -> None:
        """Go on from a state of the same architecture and recipe."""
        self._network.load_state_dict(state["network"])
        self._optimizer.load_state_dict(state["optimizer"])
        if self._average:
            self._average.load_state(state["average"])
        self._finished, self._under_way = state["finished"], None
        if state["under_way"]:
            self._under_way = _UnderWay(self._finished + 1, *state["under_way"])

    @property
    def _batch_size(self) -> int:
        return min(self._recipe.batch_size, len(self._bench.train.labels))

    def _train(self, now: "_UnderWay", deadline: float) -> bool:
        """Take steps; whether the epoch is at its end."""
        if now.batches is None:
            self._begin(now)
        assert now.batches is not None, "begun"
        self._network.train()
        for gathered, labels, draws in now.batches:
            loss = self._step(gathered, labels, draws, now)
            now.total = loss if now.total is None else now.total + loss
            now.step += 1
            if now.step < now.steps and time.perf_counter() >= deadline:
                return False
        return True

    def _begin(self, now: "_UnderWay") -> None:
        """Make an epoch's random choices; skip the steps that were taken before."""
        bench, size = self._bench, self._batch_size
        generator = torch.Generator(self._device)
        generator.manual_seed(seed_of(self._seed, "epoch", now.number))
        count = len(bench.train.labels)
        order = torch.randperm(count, device=self._device, generator=generator)
        now.steps = self._recipe.steps(count)
        if self._prepared is None:
            self._prepare(now.steps)
        draws = draw(
            self._recipe,
            now.steps * size,
            side=bench.augmentation.side,
            resolution=bench.resolution,
            generator=generator,
        )
        rows = torch.split(order[: now.steps * size], size)[now.step :]
        gathered = bench.train.store.batches(rows)
        starts = range(now.step * size, now.steps * size, size)
        now.batches = (
            (batch, bench.train.labels[row], draws.part(start, start + size))
            for batch, row, start in zip(gathered, rows, starts, strict=True)
        )

    def _step(
        self, gathered: Gathered, labels: Tensor, draws: Draws, now: "_UnderWay"
    ) -> Tensor:
        """One move of the weights; the loss of the batch before it."""
        images, targets = self._bench.augmentation.batch(*gathered, labels, draws)
        done = now.number - 1 + now.step / now.steps
        for group in self._optimizer.param_groups:
            group["lr"] = learning_rate(self._recipe, done, self._epochs)
        # Graphs write gradients where they wrote them before.
        self._optimizer.zero_grad(set_to_none=self.execution != "graphs")
        total = self._backward(images, targets)
        if self._recipe.clip is not None:
            nn.utils.clip_grad_norm_(self._network.parameters(), self._recipe.clip)
        self._optimizer.step()
        if self._average:
            self._average.follow(self._network)
        return total

    def _backward(self, images: Tensor, targets: Targets) -> Tensor:
        """Gradients of the batch's mean loss, part by part; the loss."""
        total = torch.zeros((), device=self._device, dtype=torch.float64)
        start = 0
        for part in images.chunk(self._parts):
            stop = start + len(part)
            aims = targets.part(start, stop)
            loss = self._loss(part, aims) * (len(part) / len(images))
            torch.autograd.backward(loss)
            total += loss.detach()
            start = stop
        return total

    def _loss(self, images: Tensor, targets: Targets) -> Tensor:
        assert self._prepared is not None, "before the first step"
        with autocast(self._device, self._recipe.precision, self._prepared.execution):
            logits = self._prepared.forward(images)
        return mixed_loss(logits, targets, smoothing=self._recipe.label_smoothing)

    def _prepare(self, steps: int) -> None:
        """Make the training pass ready, before the store's threads use the device as well."""
        execution = chosen(
            self._recipe.execution, device=self._device, steps=self._epochs * steps
        )
        side, dtype = self._bench.resolution, dtype_of(self._recipe.precision)
        batch = torch.zeros(self._batch_size, side, side, 3, dtype=dtype, device=self._device)
        parts = batch.permute(0, 3, 1, 2).chunk(self._parts)
        if execution == "graphs":
            if len({len(part) for part in parts}) > 1:
                execution = "eager"  # a graph is for one size
            for parameter in self._network.parameters():
                parameter.grad = torch.zeros_like(parameter)
        self._network.train()
        self._prepared = prepare(
            self._network, parts[0], execution=execution, precision=self._recipe.precision
        )

    def _errors(self, images: Held) -> tuple[float, float]:
        network = self._average.network if self._average else self._network
        return errors(network, images, self._bench)
