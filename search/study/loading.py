"""Says the line of Python that loads weights which a study kept. No torch here."""

import json
import re
from pathlib import Path

from res2net.plugins import split_plugin
from res2net.skeletons import skeleton_of
from search.schema.study_plan import StudyPlan
from search.schema.tasks import TASKS


def loading_line(weights: Path, *, plan: StudyPlan) -> str:
    """The line of Python that loads kept weights; a backbone comes without its head."""
    network = plan.network
    block, about = network.block, weights.with_suffix(".json")
    # No name of a network can say somebody's skeleton, or the settings of a trial.
    if any(map(split_plugin, network.skeleton)) or _has_settings(about):
        return (
            f"res2net.build(search.architecture_of({str(about)!r}), {_form(plan)}"
            f"weights={str(weights)!r})"
        )
    name = re.sub(r"(-confirmed-\d+epochs)?-seed\d+$", "", weights.stem)
    own = f"block={block!r}, " if split_plugin(block) else ""  # nor such a block
    return f"res2net.build({name!r}, {own}{_form(plan)}weights={str(weights)!r})"


def _form(plan: StudyPlan) -> str:
    """What `res2net.build` is told where a task's network is more than a classifier."""
    if not TASKS[plan.task.name].backbone:
        return ""
    stages = min(len(skeleton_of(name).stages) for name in plan.network.skeleton)
    stride = plan.task.options.get("output_stride")
    dense = f"output_stride={stride}, " if stride else ""
    return f"features={tuple(range(1, stages + 1))}, {dense}"


def _has_settings(about: Path) -> bool:
    try:
        return bool(json.loads(about.read_text(encoding="utf-8")).get("settings"))
    except (OSError, ValueError):  # a person took it away
        return False
