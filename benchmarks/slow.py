"""An optimiser that sleeps between steps, so that training takes time but little computing."""

import time
from collections.abc import Callable
from typing import Any

import torch


class Slow(torch.optim.SGD):
    """Plain SGD that sleeps.

    Args:
        groups: groups of parameters.
        lr: learning rate.
        seconds: seconds of sleep after each step.
    """

    def __init__(self, groups: Any, *, lr: float, seconds: float) -> None:
        super().__init__(groups, lr=lr, momentum=0.9)
        self._rest = seconds

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Take a step and sleep."""
        loss = super().step(closure)
        time.sleep(self._rest)
        return loss


def slow(groups: Any, training: Any, *, seconds: float = 0.0) -> Slow:
    """Make the optimiser for a recipe; `seconds` is an option of the space file."""
    return Slow(groups, lr=training.peak_lr, seconds=seconds)
