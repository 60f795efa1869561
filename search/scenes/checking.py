"""Reads an annotated data set before the first trial: all annotations and images."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from res2net.cores import usable_cores
from search.scenes.findings import FileError, Findings
from search.scenes.scene import Part, SceneSplits
from search.schema.data import PlannedData
from search.schema.datasets import DATASETS


def read_through(
    data: PlannedData, root: Path, *, advance: Callable[[int, int], None]
) -> tuple[str, ...]:
    """Check that every image of a study and its annotations can be read.

    Args:
        data: data section of the study.
        root: the folder of the data set.
        advance: called with the number of images read, and of all.

    Returns:
        What was left out or corrected, in lines for the user.

    Raises:
        LayoutError: something is missing or damaged, counted by kind.
    """
    splits: SceneSplits = DATASETS.make(data.name)(data, root)
    parts = (splits.train, splits.validation, splits.test)
    places = [(part, row) for part in parts for row in range(len(part))]
    found = Findings()
    with ThreadPoolExecutor(usable_cores()) as threads:  # decoding releases the GIL
        for done, fault in enumerate(threads.map(_fault, places), 1):
            if fault is not None:
                found.refuse(fault.kind, fault.where)
            advance(done, len(places))
    found.check()
    return splits.notes


def _fault(place: tuple[Part, int]) -> FileError | None:
    part, row = place
    try:
        part.check(row)
    except FileError as fault:
        return fault
    return None
