"""Counts how many trials a Ray cluster has room for. Machines may come and go."""

import math
import time
from collections.abc import Callable

import ray

from search.schema.resources import trials_on
from search.schema.study_plan import StudyPlan
from search.schema.units import duration
from search.schema.yaml import ConfigError

_LOOK_AGAIN = 2.0  # seconds until machines that came or went are noticed
_FIRST_MACHINE = 600.0  # seconds to wait until a new cluster has a machine for a trial
_SAY_AGAIN = 60.0  # seconds between two lines about waiting
Say = Callable[[str], object]


class Slots:
    """How many trials the cluster has room for at present.

    Args:
        plan: gives what a trial takes.
    """

    def __init__(self, plan: StudyPlan) -> None:
        self._asked = {"CPU": float(plan.resources.cpu), "GPU": plan.resources.gpu}
        self._seen, self._slots = -math.inf, 0

    def checked(self, *, say: Say | None = None, patience: float = 0.0) -> int:
        """The number of trials that fit.

        Args:
            say: called with a line now and then, while no machine has the resources.
            patience: seconds to wait for one; those of a new cluster come after its head.

        Raises:
            ConfigError: there is not enough room for one trial.
        """
        machines = self._awaited(say or (lambda _: None), patience)
        for kind, wanted in self._asked.items():
            most = max((there.get(kind, 0) for there in machines), default=0)
            if wanted > most:
                raise ConfigError(
                    f"resources.{kind.lower()}: a trial asks for {wanted:g}, and no machine of "
                    f"the cluster has more than {most:g}; lower it, or give the --address of "
                    "another cluster"
                )
        if not any(map(self._fits, machines)):
            asked = f"{self._asked['CPU']:g} cores and {self._asked['GPU']:g} GPUs"
            raise ConfigError(
                f"resources: a trial asks for {asked}, and no machine of the cluster has both; "
                "lower one of them, or give the --address of another cluster"
            )
        return self.now()

    def _awaited(self, say: Say, patience: float) -> list[dict[str, float]]:
        """The machines, once one of them has some of each resource, or patience is over."""
        begin, said = time.monotonic(), -math.inf
        while True:
            machines, waited = _machines(), time.monotonic() - begin
            lacking = [
                kind
                for kind, wanted in self._asked.items()
                if wanted and not any(there.get(kind) for there in machines)
            ]
            if not lacking or waited >= patience:
                return machines
            if time.monotonic() - said >= _SAY_AGAIN:
                said = time.monotonic()
                say(
                    f"no machine of the cluster has a {' or '.join(lacking)} yet; waiting up "
                    f"to {duration(patience - waited)} for it"
                )
            time.sleep(min(_LOOK_AGAIN, patience - waited))

    def now(self) -> int:
        """The number of trials that fit, at most a few seconds old."""
        if time.monotonic() - self._seen > _LOOK_AGAIN:
            self._seen, self._slots = time.monotonic(), sum(map(self._fits, _machines()))
        return self._slots

    def _fits(self, there: dict[str, float]) -> int:
        """Number of trials that fit on one machine: no trial runs on two."""
        fits = int(there.get("CPU", 0) / self._asked["CPU"] + 1e-9)
        share = self._asked["GPU"]
        return min(fits, trials_on(there.get("GPU", 0), share)) if share else fits


def patience(address: str | None, seconds: float | None) -> float:
    """Seconds to wait for a cluster's first machine; Ray on this machine is not waited for.

    Args:
        address: address of the cluster; None for Ray on this machine.
        seconds: what is left of a time limit.
    """
    if address is None:
        return 0.0
    return _FIRST_MACHINE if seconds is None else max(0.0, min(_FIRST_MACHINE, seconds))


def _machines() -> list[dict[str, float]]:
    """The resources of each live machine."""
    nodes = ray.nodes()  # type: ignore[no-untyped-call]  # Ray has no type for it
    return [node["Resources"] for node in nodes if node["Alive"]]
