"""Gives the line of Python that loads weights which a study kept. No torch here."""

import json
import re
from pathlib import Path

from res2net.plugins import split_plugin
from res2net.skeletons import skeleton_of
from search.schema.study_plan import StudyPlan
from search.schema.tasks import TASKS


def loading_line(weights: Path, *, plan: StudyPlan) -> str:
    """The line of Python that loads kept weights; a backbone is loaded without its head."""
    network = plan.network
    block, about = network.block, weights.with_suffix(".json")
    # The name of a network cannot express a foreign skeleton, or the settings of a trial.
    if any(map(split_plugin, network.skeleton)) or _has_settings(about):
        return (
            f"res2net.build(search.architecture_of({str(about)!r}), {_form(plan)}"
            f"weights={str(weights)!r})"
        )
    name = re.sub(r"(-confirmed-\d+epochs)?-seed\d+$", "", weights.stem)
    own = f"block={block!r}, " if split_plugin(block) else ""  # nor a foreign block
    return f"res2net.build({name!r}, {own}{_form(plan)}weights={str(weights)!r})"


def _form(plan: StudyPlan) -> str:
    """Further arguments of `res2net.build` for a task whose network is not a classifier."""
    if not TASKS[plan.task.name].backbone:
        return ""
    stages = min(len(skeleton_of(name).stages) for name in plan.network.skeleton)
    stride = plan.task.options.get("output_stride")
    dense = f"output_stride={stride}, " if stride else ""
    return f"features={tuple(range(1, stages + 1))}, {dense}"


def _has_settings(about: Path) -> bool:
    try:
        return bool(json.loads(about.read_text(encoding="utf-8")).get("settings"))
    except (OSError, ValueError):  # the user removed it
        return False
