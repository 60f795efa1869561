"""Trees of class folders for tests."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image


def plant(root: Path, classes: Sequence[str], *, train: int, val: int, side: int = 0) -> Path:
    """A tree of images that a network can tell apart; of empty files where `side` is 0."""
    rng = np.random.default_rng(0)
    for number, name in enumerate(classes):
        for split, count in (("train", train), ("val", val)):
            folder = root / split / name
            folder.mkdir(parents=True)
            for index in range(count):
                path = folder / f"{index:05d}.png"
                path.touch()
                if side:
                    Image.fromarray(_picture(rng, number, side)).save(path)
    return root


def _picture(rng: np.random.Generator, number: int, side: int) -> np.ndarray:
    """Stripes, as many as the number of the class; brightness and noise are its own."""
    wave = np.sin(np.arange(side) * (number + 1) * np.pi / side) * 60
    grey = wave[:, None, None] + rng.uniform(60, 180) + rng.normal(0, 10, (side, side, 3))
    return grey.clip(0, 255).astype(np.uint8)
