"""The Res2Net family of networks: describe them, count their cost, build them.

`Architecture`, `parse` and `cost` do not need torch; `build`, `joined` and `separated` import
it on first use.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from res2net.architecture import Architecture
from res2net.cost import Cost, cost
from res2net.errors import ArchitectureError, WeightsError
from res2net.names import parse

if TYPE_CHECKING:
    from res2net.blocks.joining import joined, separated
    from res2net.building import build

__all__ = [
    "Architecture",
    "ArchitectureError",
    "Cost",
    "WeightsError",
    "build",
    "cost",
    "joined",
    "parse",
    "separated",
]

_WITH_TORCH = {
    "build": "res2net.building",
    "joined": "res2net.blocks.joining",
    "separated": "res2net.blocks.joining",
}


def __getattr__(name: str) -> Any:
    if name in _WITH_TORCH:  # imported late, so that a plan starts without torch
        return getattr(import_module(_WITH_TORCH[name]), name)
    raise AttributeError(f"module 'res2net' has no attribute {name!r}")
