"""A task that learns nothing in no time: what is left of a trial is what a harness costs."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from res2net import Architecture
from search.schema.study_plan import StudyPlan
from search.tasks.base import Forward, SplitName


class Pieces:
    """A batch that cannot be cut."""

    def pieces(self, count: int) -> Iterator[tuple[Tensor, float]]:  # noqa: ARG002
        """Itself, whole."""
        yield torch.zeros(1, 1), 1.0


class NoOp:
    """One step of one weight, and a score that is known beforehand."""

    metrics = (("error", "minimize", "%"),)
    batch_size, steps = 1, 1

    def __init__(self, plan: StudyPlan, **_: Any) -> None:  # noqa: ARG002 - the protocol's
        """Nothing is needed of them. A benchmark may want to know when a worker is there."""
        if folder := os.environ.get("HARNESS_WORKERS"):
            Path(folder, str(os.getpid())).touch()

    def network(self, architecture: Architecture, *, seed: int) -> nn.Module:  # noqa: ARG002
        """One weight."""
        return nn.Linear(1, 1)

    def sample(self, pieces: int) -> None:
        """None: nothing to capture."""

    def batches(self, generator: torch.Generator, *, start: int) -> Iterator[Pieces]:  # noqa: ARG002
        """One batch an epoch."""
        yield from [Pieces()] * (1 - start)

    def loss(self, forward: Forward, piece: Tensor) -> Tensor:
        """Of one number."""
        return (forward(piece) ** 2).sum()

    def scores(self, forward: Forward, split: SplitName) -> dict[str, float]:  # noqa: ARG002
        """The same of everything."""
        return {"error": 50.0}

    def facts(self) -> dict[str, Any]:
        """Nothing of it can be used."""
        return {}
