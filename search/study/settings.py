"""The settings that results depend on, besides network and seed, to compare two studies."""

from typing import Any

from search.schema.study_plan import StudyPlan
from search.study.differences import flat

# Where images are stored and how they are handled; it does not affect what is learned.
_FREE = ("data.root", "data.storage", "data.cache", "data.damaged", "data.left_aside")
# What was found at a transfer's sources; the sources themselves and the phase do count.
_FOUND = ("files", "outside", "short", "objective")
_FREE_TOO = ("data.unseen", "training.execution", *(f"transfer.{key}" for key in _FOUND))


def settings_of(plan: StudyPlan) -> dict[str, Any]:
    """The settings that results depend on, by dotted key of the space file."""
    dumped = plan.model_dump(
        mode="json", include={"data", "task", "training", "varied", "lr_rule", "transfer"}
    )
    told = {k: v for k, v in flat(dumped) if not k.startswith((*_FREE, *_FREE_TOO))}
    device = "GPU" if plan.resources.gpu else "CPU"
    return told | {"resources.gpu": device, "resources.cpu": plan.resources.cpu}
