"""A task that learns nothing in no time, so that a trial's time is the harness's overhead."""

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
        """Yield the whole batch."""
        yield torch.zeros(1, 1), 1.0


class NoOp:
    """One step for one weight, and a fixed score."""

    metrics = (("error", "minimize", "%"),)
    batch_size, steps = 1, 1

    def __init__(self, plan: StudyPlan, **_: Any) -> None:  # noqa: ARG002 - the protocol's
        """Ignore the arguments; leave a file by which a benchmark notices the worker."""
        if folder := os.environ.get("HARNESS_WORKERS"):
            Path(folder, str(os.getpid())).touch()

    def network(self, architecture: Architecture, *, seed: int) -> nn.Module:  # noqa: ARG002
        """A network of one weight."""
        return nn.Linear(1, 1)

    def sample(self, pieces: int) -> None:
        """Give None: there is nothing to capture."""

    def batches(self, generator: torch.Generator, *, start: int) -> Iterator[Pieces]:  # noqa: ARG002
        """One batch per epoch."""
        yield from [Pieces()] * (1 - start)

    def loss(self, forward: Forward, piece: Tensor) -> Tensor:
        """The loss of one number."""
        return (forward(piece) ** 2).sum()

    def scores(self, forward: Forward, split: SplitName) -> dict[str, float]:  # noqa: ARG002
        """The same score for everything."""
        return {"error": 50.0}

    def facts(self) -> dict[str, Any]:
        """No facts, because nothing of it can be used."""
        return {}
