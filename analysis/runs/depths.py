"""Reads the depths of a run's networks; its tables hold layers, which uneven stages share."""

import pandas as pd

from analysis.runs.run import Run
from search.study.events import Started
from search.study.journal import read


def depths(run: Run) -> dict[str, int | tuple[int, ...]]:
    """The depth of each network by its name, as of a `res2net.Architecture`.

    Args:
        run: finished or not.

    Returns:
        The number of layers, or the blocks of each stage where no such number has them.

    Raises:
        JournalError: the journal cannot be read.
    """
    frame = run.once("depths", lambda: _depths(run))
    return dict(zip(frame["name"], frame["depth"], strict=True))


def _depths(run: Run) -> pd.DataFrame:
    found = {
        record.name: record.network().depth
        for record in read(run.folder, epochs=False)
        if isinstance(record, Started)
    }
    return pd.DataFrame({"name": [*found], "depth": pd.Series([*found.values()], dtype=object)})
