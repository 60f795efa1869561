"""What tasks on scenes share: the order of an epoch, augmentation, batches as lists.

Images of a batch may differ in size. All random choices of an epoch come from its generator:
each image has its own seed, so that a training resumed from a checkpoint augments as if it had
never stopped.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from search.images.augmentation import dtype_of
from search.scenes.pictured import Pictured
from search.scenes.scene import Part, Scene, SceneSplits
from search.schema.datasets import DATASETS
from search.schema.study_plan import StudyPlan
from search.tasks.base import Forward

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet's pixels, 0 to 1


class Example(NamedTuple):
    """An image (3, H, W) in 0 to 1, and the network's targets for it, by name."""

    image: Tensor
    target: dict[str, Any]


@dataclass(frozen=True, slots=True)
class SceneBatch:
    """The examples of one step.

    Attributes:
        examples: examples of the images.
        seed: seed of what a network draws at random in its forward pass.
    """

    examples: list[Example]
    seed: int = 0

    def pieces(self, count: int) -> Iterator[tuple["SceneBatch", float]]:
        """As in `search.tasks.base.Batch.pieces`."""
        size = -(-len(self.examples) // count)
        for start in range(0, len(self.examples), size):
            piece = self.examples[start : start + size]
            yield SceneBatch(piece, self.seed + start), len(piece) / len(self.examples)


def load_scenes(plan: StudyPlan, root: str) -> SceneSplits:
    """The scenes of a study.

    Args:
        plan: plan of the study.
        root: the folder of the data sets.
    """
    splits: SceneSplits = DATASETS.make(plan.data.name)(plan.data, Path(root))
    return splits


class Epochs:
    """Makes the batches of each epoch.

    Args:
        part: the scenes to train on.
        batch_size: images of a step.
        augment: makes an example of a scene; it draws from torch's global generator, which is
            seeded for each image and restored afterwards.
        device: device of the examples.

    Attributes:
        batch_size: as the argument, or lower if there are fewer scenes.
        steps: number of complete batches of an epoch.
    """

    def __init__(
        self,
        part: Part,
        *,
        batch_size: int,
        augment: Callable[[Scene], Example],
        device: torch.device,
    ) -> None:
        self._part, self._augment, self._device = part, augment, device
        self.batch_size = min(batch_size, len(part))
        self.steps = max(1, len(part) // self.batch_size)

    def batches(self, generator: torch.Generator, *, start: int) -> Iterator[SceneBatch]:
        """As in `search.tasks.base.Task.batches`."""
        count, where = len(self._part), generator.device
        order = torch.randperm(count, device=where, generator=generator).tolist()
        seeds = torch.randint(2**62, (count,), device=where, generator=generator).tolist()
        for step in range(start, self.steps):
            rows = range(step * self.batch_size, (step + 1) * self.batch_size)
            # All before the first is copied: meanwhile a GPU computes the step before.
            examples = [self._example(order[row], seeds[row]) for row in rows]
            ready = [on_device(example, self._device) for example in examples]
            yield SceneBatch(ready, seeds[rows[0]])

    def _example(self, index: int, seed: int) -> Example:
        scene = self._part[index]
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return self._augment(scene)


class SceneTask:
    """What every task on scenes shares; subclasses complete it to a `search.tasks.base.Task`.

    Args:
        plan: plan of the study.
        splits: its scenes.
        augment: makes an example of a scene, as for `Epochs`.
        device: where everything runs.
        training: the scenes to train on, if not all.

    Attributes:
        batch_size, steps: as in `search.tasks.base.Task`.
        splits: same as the argument.
    """

    def __init__(
        self,
        plan: StudyPlan,
        splits: SceneSplits,
        *,
        augment: Callable[[Scene], Example],
        device: torch.device,
        training: Part | None = None,
    ) -> None:
        size = plan.training.batch_size
        part = splits.train if training is None else training
        self.splits = splits
        self._epochs = Epochs(part, batch_size=size, augment=augment, device=device)
        self._device, self._dtype = device, dtype_of(plan.training.precision)
        self.batch_size, self.steps = self._epochs.batch_size, self._epochs.steps

    def sample(self, pieces: int) -> Tensor | None:  # noqa: ARG002 - of the protocol
        """None, as examples may differ in size: the pass runs eagerly."""
        return None

    def seen(self, forward: Forward, part: Part) -> Iterator[Scene]:  # noqa: ARG002 - default
        """Each scene with the prediction instead of the truth; by default none."""
        return iter(())

    def pictured(self, forward: Forward, count: int) -> list[Pictured]:
        """The first scenes of the test images, each with the network's prediction.

        Args:
            forward: the network's forward pass, without gradients.
            count: number of scenes.
        """
        test = self.splits.test
        first = Part(test.scenes, list(test.rows[:count]))
        return [
            Pictured(first[row], seen) for row, seen in enumerate(self.seen(forward, first))
        ]

    def batches(self, generator: torch.Generator, *, start: int) -> Iterator[SceneBatch]:
        """Scenes in an order, each augmented; both are drawn anew for each epoch."""
        return self._epochs.batches(generator, start=start)


def on_device(example: Example, device: torch.device) -> Example:
    """The example with its tensors on a device; a GPU's work goes on meanwhile."""

    def moved(tensor: Tensor) -> Tensor:
        if device.type == "cuda" and tensor.device.type == "cpu":
            return tensor.pin_memory().to(device, non_blocking=True)
        return tensor.to(device)

    target = {
        key: moved(value) if isinstance(value, Tensor) else value
        for key, value in example.target.items()
    }
    return Example(moved(example.image), target)


def as_image(scene: Scene) -> Tensor:
    """The image of a scene as (3, H, W), 0 to 1."""
    return torch.from_numpy(scene.image).permute(2, 0, 1).contiguous().float() / 255


def normalised(images: Tensor) -> Tensor:
    """Normalise images (..., 3, H, W) in 0 to 1 by ImageNet's mean and std."""
    mean = torch.tensor(MEAN, device=images.device)[:, None, None]
    std = torch.tensor(STD, device=images.device)[:, None, None]
    return (images - mean) / std
