"""Imports the libraries that only some tasks need, when they are needed."""

import importlib
from typing import Any

from search.schema.tasks import INSTALL


class LibraryMissingError(ImportError):
    """A library that a task needs is not installed."""


def library(module: str) -> Any:
    """Import a module of a library that only some tasks need.

    Raises:
        LibraryMissingError: it is not installed, with the command that installs it.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise LibraryMissingError(
            f"{module} is not installed on this machine; {INSTALL}"
        ) from error
