"""Describes where a run was made: commit and hardware of each of its starts."""

from typing import Any

_DIRTY = "-dirty"
UNKNOWN = "not known"


def commit_of(start: dict[str, Any]) -> str:
    """The git commit of a start, with a remark where it had changes or is not known."""
    commit = start.get("git_commit")
    if not commit:
        return f"{UNKNOWN}: installed without its history"
    if commit.endswith(_DIRTY):
        return f"{commit.removesuffix(_DIRTY)} with changes that were not committed"
    return str(commit)


def hardware_of(start: dict[str, Any]) -> str:
    """Processor, machine and number of CPUs of a start."""
    cpus = start.get("cpus")
    parts = [start.get("processor"), start.get("machine"), f"{cpus} CPUs" if cpus else None]
    return ", ".join(str(part) for part in parts if part) or UNKNOWN
