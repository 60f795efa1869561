"""Finds the results that a space file names: a run, a table, or the table that ships."""

from pathlib import Path

from res2net.file_names import path_of
from search.replay.from_csv import csv_source
from search.replay.from_run import run_source
from search.replay.results import Source
from search.schema.execution import SHIPPED
from search.schema.files import in_words
from search.schema.yaml import ConfigError
from search.study.journal import FILE

TABLE = "table.csv.gz"  # in a folder that `python -m search.table` writes


def shipped_table() -> Path:
    """The folder of the table that comes with the project."""
    return Path(__file__).parents[1] / "tables" / SHIPPED


def source_of(place: str) -> Source:
    """The results that a name refers to.

    Args:
        place: `digits`, a folder or a file.

    Raises:
        ConfigError: there are none, or they cannot be read.
    """
    path = shipped_table() if place == SHIPPED else path_of(place)
    try:
        if (path / FILE).exists():
            return run_source(place, path)
        return csv_source(place, _table(path))
    except OSError as error:
        raise ConfigError(in_words(error)) from error


def _table(path: Path) -> Path:
    """The path of a table's file, which may be given by its folder."""
    if not path.exists():
        raise ConfigError(
            f"{path}: is not there; give the folder of a run, a .csv table, or {SHIPPED} for "
            "the table that comes with the project"
        )
    if path.is_dir():
        if not (path / TABLE).exists():
            raise ConfigError(
                f"{path}: contains neither {FILE} nor {TABLE}; give the folder of a run, or a "
                ".csv table"
            )
        return path / TABLE
    if not path.name.endswith((".csv", ".csv.gz")):
        raise ConfigError(f"{path}: is not a table; give a file that ends with .csv or .csv.gz")
    return path
