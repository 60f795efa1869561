"""Compares the plan of a run with the plan that is asked for. No torch here."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from search.schema.study_plan import StudyPlan
from search.schema.yaml import ConfigError

# May change between starts: more trials and seeds, other confirmations, where trials run,
# where images are kept (which does not change them), which weights are kept, and trackers.
_FREE = (
    "search.trials",
    "search.seeds",
    "search.per_band",
    "confirm",
    "resources",
    "checkpoints",
    "keep",
    "candidates",
    "data.root",
    "data.storage",
    "data.cache",
    "data.damaged",
    "data.left_aside",
    "chosen",  # how the precision was chosen; the precision itself must not change
    "trackers",
    "execution.replay",  # a table may be moved, but its digest must not change
    *(f"transfer.{key}" for key in ("from", "files", "outside", "short", "objective")),  # too
)
# A change from CPU to GPU is refused: their results differ in the last bits.


def require_same(folder: Path, before: StudyPlan, now: StudyPlan) -> None:
    """Refuse a plan whose trials could not be compared with those that a run already has.

    Args:
        folder: folder of the run.
        before: plan of the run; keys that were added since have their defaults.
        now: plan of the study that is asked for.

    Raises:
        ConfigError: they are different studies; each difference is a line.
    """
    each = (_described(plan.model_dump(mode="json")) for plan in (before, now))
    old, new = (dict(flat(plan)) for plan in each)
    differences = [
        f"  {key}: there {old.get(key, 'not set')!r}, here {new.get(key, 'not set')!r}"
        for key in dict.fromkeys((*old, *new))
        if old.get(key) != new.get(key) and not key.startswith(_FREE)
    ]
    if differences:
        raise ConfigError(
            f"{folder}: contains a different study; give another folder with --out, or undo "
            "the difference:",
            *differences,
        )


def _described(config: dict[str, Any]) -> dict[str, Any]:
    """The plan with what must also stay: device kind, and whether bands are searched apart."""
    device = "GPU" if config["resources"]["gpu"] else "CPU"
    return config | {"device": device, "per_band": bool(config["search"]["per_band"])}


def flat(data: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The values of nested mappings, each with its full dotted key: `search.seeds`."""
    if isinstance(data, dict):
        for key, value in data.items():
            yield from flat(value, f"{prefix}.{key}" if prefix else key)
    else:
        yield prefix, data
