"""Measures on Ray where a study's trials will run: a task with the resources of a trial."""

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ray
from ray.exceptions import GetTimeoutError

from res2net import Architecture
from search.executors.connection import connected
from search.executors.shipping import shipped
from search.executors.slots import Say, Slots, patience
from search.schema.study_plan import StudyPlan
from search.schema.training import ChosenPrecision
from search.schema.yaml import ConfigError

Choose = Callable[[StudyPlan, Architecture], ChosenPrecision]


def choose_on_ray(
    choose: Choose,
    plan: StudyPlan,
    network: Architecture,
    *,
    address: str | None,
    seconds: float | None = None,
    say: Say | None = None,
) -> ChosenPrecision:
    """Choose between bf16 and fp32 on a machine that has room for a trial.

    Args:
        choose: measures both on the machine where it is called.
        plan: the recipe, the size of the images and the resources of a trial.
        network: the network to train, on random images.
        address: address of a running Ray cluster; None starts Ray on this machine.
        seconds: time limit; a cluster may be full of other work.
        say: called with a line where a cluster has no machine for a trial yet.

    Raises:
        ConfigError: no cluster answers there, or a trial asks for more than there is, or there
            was no room for one in time.
        ray.exceptions.RayError: the task failed, with Ray's message.
    """
    with (
        shipped(plan, away=address is not None) as code,
        connected(address, code.environment),
    ):
        begin = time.monotonic()
        Slots(plan).checked(say=say, patience=patience(address, seconds))
        if seconds is not None:
            seconds = max(0.0, seconds - (time.monotonic() - begin))
        resources = plan.resources
        task = ray.remote(num_cpus=resources.cpu, num_gpus=resources.gpu)(_chosen)
        here = None if address else code.here
        asked = task.remote(choose, plan.model_dump(), network, code.path, here)
        try:
            answer = ray.get(asked, timeout=seconds)
        except GetTimeoutError as error:
            raise ConfigError(
                "training.precision: auto was not measured before the time limit; give a "
                "longer --time-limit, or write bf16 or fp32"
            ) from error
    return ChosenPrecision.model_validate(answer)


def _chosen(
    choose: Choose,
    study: dict[str, Any],
    network: Architecture,
    path: list[str],
    here: str | None,
) -> dict[str, Any]:
    """Run on a worker; foreign parts are imported as in `actor.TrialActor`."""
    if here is not None:
        os.chdir(Path(here))
    sys.path.extend(folder for folder in path if folder not in sys.path)
    return choose(StudyPlan.model_validate(study), network).model_dump()
