"""Checks that a task fits the network, the recipe and the data of a space file."""

import importlib.util
from collections.abc import Sequence
from typing import Any

from res2net.plugins import PluginError
from res2net.skeletons import SKELETONS
from search.schema.budget import Budget
from search.schema.data import Data
from search.schema.metrics import MODEL, Objective
from search.schema.network import Network
from search.schema.parts import Choice
from search.schema.tasks import AUGMENTATION, INSTALL, TASKS
from search.schema.training import Training
from search.schema.values import MisfitError, split_stack


def check_task(task: Choice, network: Network, training: Training, data: Data) -> None:
    """Check that a task can use everything that a space file asks for.

    Raises:
        MisfitError: it cannot, with the key to look at.
    """
    facts = TASKS[task.name]
    asked = [key for key in AUGMENTATION if _is_set(getattr(training, key))]
    idle = [key for key in asked if key not in facts.reads]
    if idle:
        raise MisfitError(
            f"training.{idle[0]}", f"is not supported by {task.name}; remove it, or write 0"
        )
    if facts.backbone and data.channels == 1:
        raise MisfitError(
            "data.channels", f"is 1, but {task.name} needs colour images; leave it out"
        )
    if network.resolution and not facts.squares:
        raise MisfitError(
            "network.resolution",
            f"is not used by {task.name}, which sees its own window; remove it, and set "
            "task.window instead",
        )
    if data.boxes is not None and "keypoints" not in facts.needs:
        raise MisfitError("data.boxes", f"is not used by {task.name}; leave it out")
    _check_pieces(task, training)
    if task.options.get("output_stride"):
        _check_stride(task.options["output_stride"], network, data)


def check_model(task: str, budget: Budget, objectives: Sequence[Objective]) -> None:
    """Check that the cost of the whole model is known where it is asked for.

    Raises:
        MisfitError: it is not, with the key to look at.
    """
    facts = TASKS[task]
    if facts.head is not None:
        return
    asked = [
        ("search.objectives", f"contains {one.name}, which ", one.name) for one in objectives
    ]
    asked += [(f"budget.{name}", "", name) for name in budget.bands()]
    for at, holds, name in asked:
        if name in MODEL:
            network = name.removeprefix("model_")
            why = (
                f"is {network} for {task}, which puts no head on its networks; write {network}"
            )
            if facts.backbone:
                why = (
                    f"cannot be counted: {task} does not say what its head costs; write "
                    f"{network}, or give it count_head (docs/adding_a_part.md)"
                )
            raise MisfitError(at, f"{holds}{why}")


def check_libraries(task: str) -> None:
    """Check that the packages a task needs are installed; nothing is imported.

    Raises:
        PluginError: they are not, with the command that installs them.
    """
    missing = [m for m in TASKS[task].libraries if importlib.util.find_spec(m) is None]
    if missing:
        raise PluginError(
            f"task: {task} needs {' and '.join(missing)}, which is not installed here; "
            f"{INSTALL}"
        )


def _check_pieces(task: Choice, training: Training) -> None:
    """Check the batch: batch norms over a single number per channel cannot learn."""
    fewest = TASKS[task.name].fewest
    batch, parts = training.batch_size, training.accumulate
    size = -(-batch // parts)
    if (batch % size or size) >= fewest:
        return
    if parts > 1:
        raise MisfitError(
            "training.accumulate",
            f"leaves one image of a batch of {batch} alone, but norms of {task.name} need "
            f"{fewest}; write a lower number",
        )
    raise MisfitError(
        "training.batch_size",
        f"is less than the norms of {task.name} need; write {fewest} or more",
    )


def _check_stride(stride: int, network: Network, data: Data) -> None:
    """Check that the skeletons have the stride, and that it divides the sides of images."""
    for text in network.skeleton:
        name, _ = split_stack(text)
        if name in SKELETONS and stride not in SKELETONS[name].output_strides:
            able = [s for s, facts in SKELETONS.items() if stride in facts.output_strides]
            raise MisfitError(
                "task.output_stride",
                f"is {stride}, which {name} cannot have; write network: "
                f"{{skeleton: {' or '.join(able)}}}",
            )
    usual = data.resolution or data.facts.image_size
    for side in network.resolution or (usual,):
        if side % stride:
            key = "network.resolution" if network.resolution else "data.resolution"
            less = side - side % stride
            raise MisfitError(
                key, f"is {side}, not a multiple of the output stride; write {less or stride}"
            )


def _is_set(value: Any) -> bool:
    """Whether a key of the augmentation has an effect."""
    return any(value) if isinstance(value, tuple) else bool(value)
