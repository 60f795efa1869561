"""Finds the images of a study on the machine of a worker, which may have its own copy."""

from pathlib import Path

from search.images.cache import build
from search.images.resolve import tree_of
from search.images.storage import request_of
from search.schema.data import PlannedData
from search.schema.datasets import DATASETS
from search.schema.yaml import ConfigError


def stage(data: PlannedData, root: Path) -> None:
    """Make sure that the images are here; for a tree, decode those not decoded here yet.

    If a machine has several workers, one decodes and the others wait for it.

    Args:
        data: data section of the study.
        root: the folder of the data sets, on this machine.

    Raises:
        ConfigError: files are missing or damaged, or the disk has no room.
    """
    if data.tree:
        tree = tree_of(data, root, place=_key)
        for files in (tree.train, tree.test):
            build(request_of(files, data, root), workers=1, place=_key, advance=_unsaid)
        return
    facts = DATASETS[data.name]
    if facts.annotated:  # reads the annotations, to check that the files are the plan's
        DATASETS.make(data.name)(data, root)
    for name in facts.md5:
        if not (root / facts.folder / name).is_file():
            raise ConfigError(
                f"data.root: {root} has no {facts.folder}/{name}; copy the data set there, or "
                "set data.root to a folder that every node has, or to a variable that is set "
                "on each ($IMAGES)"
            )


def _key(key: str) -> str:
    return f"data.{key}"


def _unsaid(_done: int, _total: int) -> None:
    """Do nothing: a worker shows no progress."""
