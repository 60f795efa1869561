"""What networks cost in the way that a task uses them. No torch here.

A task gives the size of the images that a network sees, whether the network is a classifier or
the backbone of a head, and the cost of that head. Head and image are the same for all networks
with the same skeleton, number of planes and resolution, whatever their blocks are.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple, Self

from res2net import Architecture
from res2net.cost import costs
from res2net.features import feature_maps
from res2net.layout import Dimensions
from res2net.tally import IntArray, Size, Tally
from search.schema.data import PlannedData
from search.schema.datasets import DATASETS
from search.schema.heads import Seen
from search.schema.metrics import MODEL
from search.schema.parts import Choice
from search.schema.tasks import TASKS


class Counts(NamedTuple):
    """The costs of each network of a grid: arrays of the same shape.

    The last two are those of a task's whole model, network and head; where the cost of the head
    is not known, those of the network alone.
    """

    params: IntArray
    macs: IntArray
    activations: IntArray
    model_params: IntArray
    model_macs: IntArray


@dataclass(frozen=True)
class Use:
    """How a task uses networks.

    Attributes:
        task: task of the study.
        classes: number of classes of its data, without the background.
        joints: number of keypoints of an object of its data.
    """

    task: Choice
    classes: int
    joints: int

    @classmethod
    def of(cls, task: Choice, data: PlannedData) -> Self:
        """How a task uses networks on a study's data."""
        return cls(task, data.classes, DATASETS[data.name].of(data.sets).joints)

    @property
    def has_head(self) -> bool:
        """Whether the task's head has a known cost."""
        return TASKS[self.task.name].head is not None

    def model(self, counted: Iterable[int]) -> dict[str, int]:
        """The costs of the network with its head, by name, from all counts of the network.

        Args:
            counted: counts of the network, in the order of `Counts`.

        Returns:
            The amounts in MODEL; empty where the cost of the head is not known.
        """
        by_name = dict(zip(Counts._fields, counted, strict=True))
        return {name: by_name[name] for name in MODEL} if self.has_head else {}

    def image_size(self, resolution: int) -> Size:
        """Height and width of what a network sees, in pixels.

        Args:
            resolution: resolution of the study's images.
        """
        return TASKS[self.task.name].image_size(resolution, self.task.options)

    def costs(self, base: Architecture, dims: Dimensions, resolution: int) -> Counts:
        """Count a grid of networks that differ from `base` in the given dimensions only.

        Args:
            base: as for `res2net.cost.costs`.
            dims: as for `res2net.cost.costs`.
            resolution: resolution of the study's images.
        """
        image = self.image_size(resolution)
        network = costs(
            base,
            dims,
            image_size=image,
            output_stride=self._output_stride,
            head=not TASKS[self.task.name].backbone,
        )
        head = self.head(base, image)
        return Counts(*network, network.params + head.params, network.macs + head.macs)

    def head(self, architecture: Architecture, image: Size) -> Tally:
        """Count the head that the task puts on a network; nothing where its cost is not known.

        Raises:
            PluginError: a foreign `count_head` fails, or gives no whole numbers.
        """
        tally, count = Tally(), TASKS[self.task.name].head
        if count is not None:
            features = feature_maps(
                architecture, image_size=image, output_stride=self._output_stride
            )
            seen = Seen(image, features, self.classes, self.joints)
            count(tally, seen, self.task.options)
        return tally

    @property
    def _output_stride(self) -> int | None:
        stride: int | None = self.task.options.get("output_stride")
        return stride
