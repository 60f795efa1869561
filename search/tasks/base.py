"""The task protocol: the data, the network, the loss of a batch, the scores of a split.

The engine knows nothing else of what is learned. A batch is whatever the task says it is; the
engine hands it back to the task's own loss.
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

Forward = Callable[..., Any]  # the network's pass, in the precision of the recipe
SplitName = Literal["validation", "test"]
Losses = Tensor | Mapping[str, Tensor]  # one scalar, or several by name
_SUM = "loss"


class DivergedError(ArithmeticError):
    """What is computed is no longer a number."""


class Batch(Protocol):
    """The images of one step, with whatever the loss needs."""

    def pieces(self, count: int) -> Iterator[tuple[Any, float]]:
        """The batch in at most `count` pieces, each with its share of the batch.

        A piece is what `Task.loss` takes; the shares add up to 1.
        """


class Task(Protocol):
    """What a trial learns and how it is scored; holds the data on the device.

    Attributes:
        batch_size: images of a step.
        steps: of an epoch.
    """

    batch_size: int
    steps: int

    def network(self, architecture: Architecture, *, seed: int) -> nn.Module:
        """The network to train, on the device, its weights drawn from `seed`.

        Where the study has a transfer, its backbone is filled with trained weights afterwards:
        then it must hold one, of `res2net.build` (`search.engine.transfer.backbone_in`).
        """

    def sample(self, pieces: int) -> Tensor | None:
        """An input as large as a piece of a batch, None where pieces differ in size.

        It is what CUDA graphs are captured with; without one the pass runs eagerly.
        """

    def batches(self, generator: torch.Generator, *, start: int) -> Iterator[Batch]:
        """The batches of an epoch, every random choice drawn from `generator` at once.

        Args:
            generator: on the device, seeded for this epoch.
            start: steps that were taken before; their batches are left out.
        """

    def loss(self, forward: Forward, piece: Any) -> Losses:
        """The mean loss of a piece of a batch: a scalar with a gradient, or several by name.

        Of several the sum is trained on; each is reported as `train_<name>` as well, beside
        the sum, `train_loss`.
        """

    def scores(self, forward: Forward, split: SplitName) -> Mapping[str, float | None]:
        """Every metric of the task on all images of a split, by its name without the split.

        None is one that the split does not tell, such as of small objects where there are
        none; it is not reported.

        Raises:
            DivergedError: the network puts out numbers that are not finite.
        """

    def facts(self) -> dict[str, Any]:
        """What a user of the trained weights must know, as JSON: classes, mean, std."""


def make_task(plan: StudyPlan, root: str, *, device: torch.device, images: Any = None) -> Task:
    """The task of a study, with its data on a device.

    Args:
        plan: of the study.
        root: the folder of the data sets.
        device: where trials run.
        images: in the place of those below `root`, where a network is only timed.

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
    """What `Task.loss` returned, by name: first their sum, as `loss`, then each of several.

    Raises:
        PluginError: there is none, or one bears the name of the sum.
    """
    if not isinstance(losses, Mapping):
        return {_SUM: losses}
    if not losses or _SUM in losses:
        raise PluginError(
            f"its losses are {', '.join(losses) or 'none'}; return one at least, and none "
            f"called {_SUM}, which is their sum"
        )
    return {_SUM: torch.stack([*losses.values()]).sum(), **losses}


def checked_scores(
    scores: Any, metrics: Sequence[str], needed: Collection[str] = ()
) -> dict[str, float]:
    """The scores of a task as plain numbers, without those that are None.

    Args:
        scores: what `Task.scores` returned.
        metrics: names of those that the task declares.
        needed: of them those that networks are compared by.

    Raises:
        PluginError: they are not the declared ones, or no numbers; or one is None that is
            needed.
        DivergedError: one is not finite.
    """
    if not isinstance(scores, dict) or scores.keys() != set(metrics):
        shown = ", ".join(map(str, scores)) if isinstance(scores, dict) else repr(scores)
        raise PluginError(f"its scores are {shown}; return {', '.join(metrics)}")
    untold = [name for name in needed if scores[name] is None]
    if untold:
        raise PluginError(
            f"its {untold[0]} is None, and networks are compared by it: the images do not tell "
            "it, such as of objects of a size that none has; write another search.objectives"
        )
    try:
        numbers = {name: float(score) for name, score in scores.items() if score is not None}
    except (TypeError, ValueError) as error:
        raise PluginError(f"its scores are no numbers ({error})") from error
    wrong = [name for name, number in numbers.items() if not math.isfinite(number)]
    if wrong:
        raise DivergedError(f"the {wrong[0]} is {numbers[wrong[0]]}")
    return numbers
