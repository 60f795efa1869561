"""Images that replace CIFAR-100, with the same size and number: patterns under noise.

They take as long as CIFAR-100, and networks can learn them; scores on them mean nothing. A
space file can use them too: `data: {name: "benchmarks.noise:NOISE", validation: 5000}`.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image
from torch.utils.data import Dataset

from search.schema.datasets import DATASETS

NAME = "benchmarks.noise:NOISE"
_CIFAR = DATASETS["cifar100"]
Arrays = tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]


class _Noise:
    """A hundred patterns under noise, as large and as many as CIFAR-100."""

    classes, image_size = _CIFAR.classes, _CIFAR.image_size
    train, test = _CIFAR.train, _CIFAR.test
    crop, flip = _CIFAR.crop, False

    def load(self, root: Path) -> tuple[Arrays, Arrays]:  # noqa: ARG002 - generated, not read
        """Generate training and test images with their classes; always the same ones."""
        rng = np.random.default_rng(0)
        shape = (self.image_size, self.image_size, 3)
        patterns = rng.integers(0, 128, (self.classes, *shape), dtype=np.uint8)

        def drawn(count: int) -> Arrays:
            labels = np.arange(count) % self.classes
            noise = rng.integers(0, 128, (count, *shape), dtype=np.uint8)
            return patterns[labels] + noise, labels

        return drawn(self.train), drawn(self.test)


NOISE = _Noise()


class Drawn(Dataset[tuple[Any, int]]):
    """The training images in the form of torchvision's own data sets."""

    def __init__(self, transform: Callable[[Image.Image], Any] | None = None) -> None:
        self.data, labels = NOISE.load(Path())[0]
        self.targets: list[int] = labels.tolist()
        self._transform = transform

    def __len__(self) -> int:
        return len(self.targets)

    def __getitem__(self, index: int) -> tuple[Any, int]:
        image = Image.fromarray(self.data[index])
        return (self._transform(image) if self._transform else image), self.targets[index]


def name_of(data: Path) -> str:
    """The name of CIFAR-100, or of its replacement if a folder does not contain it."""
    return "cifar100" if (data / _CIFAR.folder / "train").is_file() else NAME
