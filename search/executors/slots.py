"""Counts how many trials a Ray cluster has room for. Machines may come and go."""

import math
import time

import ray

from search.schema.study_plan import StudyPlan
from search.schema.yaml import ConfigError

_LOOK_AGAIN = 2.0  # seconds until machines that came or went are seen


class Slots:
    """How many trials the cluster has room for, now: machines come and go.

    Args:
        plan: says what a trial takes.
    """

    def __init__(self, plan: StudyPlan) -> None:
        self._asked = {"CPU": float(plan.resources.cpu), "GPU": plan.resources.gpu}
        self._seen, self._slots = -math.inf, 0

    def checked(self) -> int:
        """The room there is.

        Raises:
            ConfigError: there is not enough for one trial.
        """
        there = _there()
        for kind, wanted in self._asked.items():
            if wanted > there.get(kind, 0):
                raise ConfigError(
                    f"resources.{kind.lower()}: a trial asks for {wanted:g}, but there are "
                    f"{there.get(kind, 0):g}; lower it, or give the --address of a larger "
                    "cluster"
                )
        return self.now()

    def now(self) -> int:
        """The room there was some seconds ago at most."""
        if time.monotonic() - self._seen > _LOOK_AGAIN:
            there = _there()
            # A fifth of a GPU fits five times, whatever floats say of 1 / 0.2.
            fits = (there.get(k, 0) / each + 1e-9 for k, each in self._asked.items() if each)
            self._seen, self._slots = time.monotonic(), int(min(fits))
        return self._slots


def _there() -> dict[str, float]:
    resources: dict[str, float] = ray.cluster_resources()  # type: ignore[no-untyped-call]
    return resources
