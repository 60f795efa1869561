"""Trains one network on one task: the same arguments give the same result, on a CPU to the bit.

All random choices of an epoch come from (seed, epoch), so that an interrupted training resumes
from its last step as if nothing had happened. No data leaves the device inside an epoch.
"""

import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from res2net import Architecture, separated
from search.engine import graph_gradients
from search.engine.bench import Bench
from search.engine.dilated import with_right_gradients
from search.engine.execution import (
    Prepared,
    autocast,
    chosen,
    prepare,
    with_joined_layers,
)
from search.engine.optimizer import Average, make_optimizer
from search.engine.schedule import learning_rate
from search.engine.transfer import start_from
from search.images.augmentation import dtype_of
from search.scenes.pictured import Pictured
from search.schema.metrics import TRAIN, VALIDATION
from search.schema.seeds import seed_of
from search.schema.training import Execution
from search.study.events import Epoch
from search.tasks.base import (
    Batch,
    DivergedError,
    PreparationError,
    SplitName,
    checked_scores,
    named_losses,
)
from search.tasks.memory import free_memory


@dataclass(slots=True)
class _UnderWay:
    """An unfinished epoch; the number counts from 1; `step` is the number of finished steps."""

    number: int
    step: int = 0
    losses: dict[str, Tensor] = field(default_factory=dict)  # of its steps, summed by name
    seconds: float = 0.0
    batches: Iterator[Batch] | None = None


class Trainer:
    """A network and its optimiser on a bench.

    Args:
        architecture: architecture of the network.
        bench: recipe, task, device.
        epochs: length of the schedule.
        seed: seed of weights, order and augmentation.
        pieces: into which each batch is split, by default the recipe's `accumulate`; they pass
            the network one after another, and the weights are updated once, after the last.
            Batch norms see the images of a piece, not of a batch.
        execution: of the training pass, by default the one that is right for this training. A
            network for which it cannot be prepared is trained eagerly, unless the recipe
            insists on it.
    """

    def __init__(
        self,
        architecture: Architecture,
        bench: Bench,
        *,
        epochs: int,
        seed: int,
        pieces: int | None = None,
        execution: Execution = "auto",
    ) -> None:
        self._asked = execution if execution != "auto" else bench.recipe.execution
        self._recipe, self._task, self._device = bench.recipe, bench.task, bench.device
        self._epochs, self._seed = epochs, seed
        self._metrics, self._compared = bench.metrics, bench.compared
        self._pieces = pieces or bench.recipe.accumulate
        network = bench.task.network(architecture, seed=seed_of(seed, "weights"))
        if bench.initial is not None:
            start_from(network, architecture, bench.initial)
        network = with_joined_layers(network, bench.recipe, bench.device)
        network = with_right_gradients(network, bench.recipe.precision, bench.device)
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
        """Seconds of capturing or compiling, which are not counted in any epoch."""
        return self._prepared.seconds if self._prepared else 0.0

    @property
    def under_way(self) -> tuple[float, float]:
        """Share of the current epoch that is done, and the seconds it took."""
        now = self._under_way
        return (now.step / self._task.steps, now.seconds) if now else (0.0, 0.0)

    @property
    def trained(self) -> nn.Module:
        """A copy of the network to score, as it was built: with separate layers."""
        return separated(self._scored)

    def epoch(self, *, trial: int, seconds: float = math.inf) -> Epoch | None:
        """Train to the end of the epoch, or for about so many seconds.

        Returns:
            The epoch with its validation scores; None where it is not finished, and the next
            call continues it.

        Raises:
            DivergedError: the training loss became infinite or not a number.
        """
        start = time.perf_counter()
        if self._prepared is None:
            self._prepared = self._prepare()
            start = time.perf_counter()
        now = self._under_way = self._under_way or _UnderWay(self._finished + 1)
        batches = now.batches = now.batches or self._begin(now)
        self._network.train()
        for batch in batches:
            for group in self._optimizer.param_groups:
                group["lr"] = self._rate(now)
            self._optimizer.zero_grad(set_to_none=True)
            losses = self._backward(batch)
            if self._recipe.clip is not None:
                nn.utils.clip_grad_norm_(self._network.parameters(), self._recipe.clip)
            self._optimizer.step()
            if self._average:
                self._average.follow()
            _add(now.losses, losses)
            now.step += 1
            if now.step < self._task.steps and time.perf_counter() - start >= seconds:
                self.wait()  # the device's pending work belongs to this turn
                now.seconds += time.perf_counter() - start
                return None
        return self._finish(now, trial, start)

    def scores(self, split: SplitName) -> dict[str, float]:
        """The task's metrics on a split; for the test images call it once, at the end.

        Networks are compared by the validation images; the test images may lack a metric.
        """
        scores = self._task.scores(self._looking(), split)
        needed = self._compared if split == "validation" else ()
        return checked_scores(scores, self._metrics, needed)

    def pictured(self, count: int) -> list[Pictured]:
        """A few scenes as the network sees them; empty if the task makes no pictures."""
        pictured: Callable[..., list[Pictured]] | None = getattr(self._task, "pictured", None)
        return pictured(self._looking(), count) if pictured else []

    def _looking(self) -> Callable[..., Any]:
        """The forward pass of the network to score, without gradients."""
        network = self._scored
        network.eval()

        @torch.no_grad()
        def forward(*inputs: Any) -> Any:
            with autocast(self._device, self._recipe.precision):
                return network(*inputs)

        return forward

    def wait(self) -> None:
        """Wait until the device has finished its work, so that it can be timed."""
        if self._under_way and self._under_way.losses:
            self._under_way.losses["loss"].item()

    def state(self) -> dict[str, Any]:
        """Weights, optimiser, average and position: all that the further training needs."""
        now = self._under_way
        return {
            "network": self._network.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "average": self._average.state() if self._average else None,
            "finished": self._finished,
            "under_way": (now.step, now.losses, now.seconds) if now else None,
        }

    def load_state(self, state: dict[str, Any]) -> None:
        """Continue from a state, on any device, of the same architecture and recipe."""
        self._network.load_state_dict(state["network"])
        self._optimizer.load_state_dict(state["optimizer"])
        if self._average:
            self._average.load_state(state["average"])
        self._finished, self._under_way = state["finished"], None
        if state["under_way"]:
            step, losses, seconds = state["under_way"]
            losses = {name: loss.to(self._device) for name, loss in losses.items()}
            self._under_way = _UnderWay(self._finished + 1, step, losses, seconds)

    @property
    def _scored(self) -> nn.Module:
        """The network to score: the average of the weights, where there is one."""
        return self._average.network if self._average else self._network

    def _begin(self, now: _UnderWay) -> Iterator[Batch]:
        """Make an epoch's random choices; steps taken before are skipped."""
        generator = torch.Generator(self._device)
        generator.manual_seed(seed_of(self._seed, "epoch", now.number))
        return self._task.batches(generator, start=now.step)

    def _rate(self, now: _UnderWay) -> float:
        done = now.number - 1 + now.step / self._task.steps
        return learning_rate(self._recipe, done, self._epochs)

    def _forward(self, *inputs: Any) -> Any:
        assert self._prepared is not None, "before the first step"
        with autocast(self._device, self._recipe.precision, self._prepared.execution):
            return self._prepared.forward(*inputs)

    def _backward(self, batch: Batch) -> dict[str, Tensor]:
        """Compute the gradients of a batch; its losses by name."""
        total: dict[str, Tensor] = {}
        for number, (piece, share) in enumerate(batch.pieces(self._pieces)):
            if number == 1 and self.execution == "graphs":
                graph_gradients.keep(self._network)
            losses = named_losses(self._task.loss(self._forward, piece))
            losses = {name: loss * share for name, loss in losses.items()}
            torch.autograd.backward(losses["loss"])
            _add(total, losses)
        if self.execution == "graphs":
            graph_gradients.separate(self._network)
        return total

    def _finish(self, now: _UnderWay, trial: int, start: float) -> Epoch:
        """Score the network after an epoch's last step; its present turn began at `start`."""
        means = {name: total.item() / now.step for name, total in now.losses.items()}
        now.seconds += time.perf_counter() - start
        if not math.isfinite(means["loss"]):  # reading it waited for the device
            raise DivergedError(f"the training loss of epoch {now.number} is {means['loss']}")
        start = time.perf_counter()
        scores = self.scores("validation")
        self._finished, self._under_way = now.number, None
        return Epoch(
            trial=trial,
            epoch=now.number,
            metrics={
                **{f"{TRAIN}{name}": mean for name, mean in means.items()},
                **{f"{VALIDATION}{name}": score for name, score in scores.items()},
            },
            images_per_s=now.step * self._task.batch_size / now.seconds,
            seconds=now.seconds + time.perf_counter() - start,
        )

    def _prepare(self) -> Prepared:
        """Prepare the training pass, before the store's threads use the device as well."""
        steps = self._epochs * self._task.steps
        execution = chosen(self._asked, device=self._device, steps=steps)
        sample = self._task.sample(self._pieces)
        if sample is None and (execution == "graphs" or self._recipe.execution == "auto"):
            execution = "eager"  # graphs and compiled code are for one input size
        self._network.train()
        precision = self._recipe.precision
        try:
            return prepare(self._network, sample, execution=execution, precision=precision)
        except PreparationError:
            if self._recipe.execution == execution:
                raise
        free_memory()  # what was captured until it failed
        return prepare(self._network, sample, execution="eager", precision=precision)


def _add(totals: dict[str, Tensor], losses: Mapping[str, Tensor]) -> None:
    """Add losses to totals, by name, in float64 and on their device."""
    for name, loss in losses.items():
        more = loss.detach().double()
        totals[name] = totals[name] + more if name in totals else more
