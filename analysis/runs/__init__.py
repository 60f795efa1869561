"""Reads runs into tables of trials, epochs and networks, or into an Optuna study."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from analysis.runs.as_optuna import optuna_study

__all__ = ["optuna_study"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from analysis.runs import as_optuna  # noqa: PLC0415 - rarely needed, slow import

        return getattr(as_optuna, name)
    raise AttributeError(f"module 'analysis.runs' has no attribute {name!r}")
