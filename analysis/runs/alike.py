"""Short names for recipes and images: runs with equal names can be compared."""

import hashlib
import json
from typing import Any

from search.schema.study_plan import StudyPlan

# Settings that change neither the images that a trial sees nor the networks' results.
_WHERE_IMAGES_LIE = {"root", "storage", "cache", "damaged", "left_aside"}


def recipe_of(plan: StudyPlan) -> str:
    """Digest of how a study trains, except its epochs: settings shared or varied by trials.

    Args:
        plan: plan of the study.
    """
    told = plan.training.model_dump(mode="json", exclude={"epochs"})
    own = {key: list(values) for key, values in plan.varied.items() if key != "epochs"}
    if own:  # otherwise the name stays as it was before anything could vary
        tuned = plan.search.tune.keys if plan.search.tune else ()
        told |= {"varied": own, "tuned": [key for key in tuned if key in own]}
    if plan.lr_rule is not None:
        told |= {"lr_rule": plan.lr_rule.model_dump(mode="json")}
    if plan.transfer is not None:
        told |= {"transfer": [*plan.transfer.sources, plan.transfer.phase]}
    return _digest(told)


def data_of(plan: StudyPlan) -> str:
    """Digest of the images that a study sees, at each of its resolutions.

    Args:
        plan: plan of the study.
    """
    told = plan.data.model_dump(mode="json", exclude=_WHERE_IMAGES_LIE)
    several = plan.network.resolution or ()
    return _digest(told | ({"resolutions": list(several)} if len(several) > 1 else {}))


def _digest(data: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()[:8]
