"""The Res2Net family: describe, count, build.

`Architecture`, `parse` and `cost` need no torch; `build` imports it when it is first used.
"""

from typing import TYPE_CHECKING, Any

from res2net.architecture import Architecture
from res2net.cost import Cost, cost
from res2net.errors import ArchitectureError, WeightsError
from res2net.names import parse

if TYPE_CHECKING:
    from res2net.building import build

__all__ = [
    "Architecture",
    "ArchitectureError",
    "Cost",
    "WeightsError",
    "build",
    "cost",
    "parse",
]


def __getattr__(name: str) -> Any:
    if name == "build":
        from res2net.building import build  # noqa: PLC0415 - so that a plan starts without torch

        return build
    raise AttributeError(f"module 'res2net' has no attribute {name!r}")
