"""Architecture search and scaling studies: `load_space`, `run_study`, `train_network`.

The modules behind them are imported on first use, so that a plan starts at once.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from search.api import architecture_of, load_space, run_study, train_network

__all__ = ["architecture_of", "load_space", "run_study", "train_network"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from search import api  # noqa: PLC0415 - see above

        return getattr(api, name)
    raise AttributeError(f"module 'search' has no attribute {name!r}")
