"""The task protocol: the data, the network, the loss of a batch, the scores of a split.

The engine knows nothing else about what is learned. A batch is whatever the task makes it; the
engine passes it to the task's own loss.
"""

import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, Literal, Protocol, cast

import torch
from torch import Tensor, nn

from res2net import Architecture
from res2net.plugins import PluginError
from search.schema.parts import made, require_methods
from search.schema.study_plan import StudyPlan
from search.schema.tasks import TASKS

Forward = Callable[..., Any]  # the network's forward pass, in the recipe's precision
SplitName = Literal["validation", "test"]
Losses = Tensor | Mapping[str, Tensor]  # one scalar, or several by name
_SUM = "loss"


class DivergedError(ArithmeticError):
    """A computed value is no longer a number."""


class PreparationError(RuntimeError):
    """A network cannot be captured or compiled, though memory and the device are fine."""


class Batch(Protocol):
    """The images of one step, with whatever the loss needs."""

    def pieces(self, count: int) -> Iterator[tuple[Any, float]]:
        """The batch in at most `count` pieces, each with its share of the batch.

        A piece is what `Task.loss` takes; the shares sum to 1.
        """


class Task(Protocol):
    """What a trial learns and how it is scored; holds the data on the device.

    Attributes:
        batch_size: images of a step.
        steps: number of steps of an epoch.
        one_size: optional; False where the inputs of the network's layers differ in size from
            step to step, so that a GPU does not time its algorithms for each size.
    """

    batch_size: int
    steps: int

    def network(self, architecture: Architecture, *, seed: int) -> nn.Module:
        """The network to train, on the device, its weights drawn from `seed`.

        If the study has a transfer, the network's backbone is filled with trained weights
        afterwards. It must then hold a backbone of `res2net.build`
        (`search.engine.transfer.backbone_in`).
        """

    def sample(self, pieces: int) -> Tensor | None:
        """An input as large as a piece of a batch, None where pieces differ in size.

        CUDA graphs are captured with it; without one the pass runs eagerly.
        """

    def batches(self, generator: torch.Generator, *, start: int) -> Iterator[Batch]:
        """The batches of an epoch, with all random choices drawn from `generator` at once.

        Args:
            generator: on the device, seeded for this epoch.
            start: number of steps that were taken before; their batches are skipped.
        """

    def loss(self, forward: Forward, piece: Any) -> Losses:
        """The mean loss of a piece of a batch: a scalar with a gradient, or several by name.

        If there are several, their sum is trained on and reported as `train_loss`, and each is
        also reported as `train_<name>`.
        """

    def scores(self, forward: Forward, split: SplitName) -> Mapping[str, float | None]:
        """Every metric of the task on all images of a split, by its name without the split.

        A metric is None if the split does not determine it, such as one of small objects where
        there are none; it is not reported.

        Raises:
            DivergedError: the network's outputs are not finite.
        """

    def facts(self) -> dict[str, Any]:
        """What a user of the trained weights must know, as JSON: classes, mean, std."""


def make_task(plan: StudyPlan, root: str, *, device: torch.device, images: Any = None) -> Task:
    """Make the task of a study, with its data on a device.

    Args:
        plan: plan of the study.
        root: the folder of the data sets.
        device: where trials run.
        images: replace those below `root`, where a network is only timed.

    Raises:
        PluginError: a foreign task cannot be made, or lacks something.
    """
    choice = plan.task
    maker = TASKS.make(choice.name)
    more = {} if images is None else {"images": images}
    task = made(
        choice.name,
        lambda: maker(plan, root=root, device=device, **choice.options, **more),
        "(plan, *, root, device) and its own options",
    )
    needed = ("batch_size", "steps", "network", "sample", "batches", "loss", "scores", "facts")
    require_methods(choice.name, task, *needed)
    return cast("Task", task)


def named_losses(losses: Losses) -> dict[str, Tensor]:
    """The losses from `Task.loss` by name: first their sum, as `loss`, then each of several.

    Raises:
        PluginError: there is none, or one has the name of the sum.
    """
    if not isinstance(losses, Mapping):
        return {_SUM: losses}
    if not losses or _SUM in losses:
        raise PluginError(
            f"its losses are {', '.join(losses) or 'none'}; return at least one, and none "
            f"named {_SUM}, which is their sum"
        )
    return {_SUM: torch.stack([*losses.values()]).sum(), **losses}


def checked_scores(
    scores: Any, metrics: Sequence[str], needed: Collection[str] = ()
) -> dict[str, float]:
    """The scores of a task as plain numbers, without those that are None.

    Args:
        scores: from `Task.scores`.
        metrics: names of the metrics that the task declares.
        needed: the metrics by which networks are compared.

    Raises:
        PluginError: they are not the declared ones, or are not numbers; or a needed one is
            None.
        DivergedError: one is not finite.
    """
    if not isinstance(scores, dict) or scores.keys() != set(metrics):
        shown = ", ".join(map(str, scores)) if isinstance(scores, dict) else repr(scores)
        raise PluginError(f"its scores are {shown}; return {', '.join(metrics)}")
    untold = [name for name in needed if scores[name] is None]
    if untold:
        raise PluginError(
            f"its {untold[0]} is None, but networks are compared by it: the images do not give "
            "it (perhaps none has objects of that size); write another search.objectives"
        )
    try:
        numbers = {name: float(score) for name, score in scores.items() if score is not None}
    except (TypeError, ValueError) as error:
        raise PluginError(f"its scores are not numbers ({error})") from error
    wrong = [name for name, number in numbers.items() if not math.isfinite(number)]
    if wrong:
        raise DivergedError(f"the {wrong[0]} is {numbers[wrong[0]]}")
    return numbers
