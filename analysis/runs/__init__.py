"""Reads runs into tables: their trials, epochs and networks; or into a study of Optuna's."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from analysis.runs.as_optuna import optuna_study

__all__ = ["optuna_study"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from analysis.runs import as_optuna  # noqa: PLC0415 - few need Optuna, which takes a while

        return getattr(as_optuna, name)
    raise AttributeError(f"module 'analysis.runs' has no attribute {name!r}")
