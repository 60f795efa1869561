"""Prepares the images of a study before the first trial: checks files, decodes trees.

No torch here.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)

from res2net.consoles import can_redraw
from res2net.cores import usable_cores
from res2net.file_names import path_of, printable, text_of
from res2net.plugins import import_attribute
from search.images.cache import CacheRequest, build, check_room, open_cache
from search.images.coverage import check_readable
from search.images.official import require
from search.images.resolve import data_places, tree_of
from search.images.storage import request_of
from search.schema.data import PlannedData
from search.schema.datasets import DATASETS
from search.schema.yaml import ConfigError, Document

_LINES = 10  # without a bar: one line per tenth


def make_ready(data: PlannedData, document: Document, console: Console) -> tuple[str, ...]:
    """Check or download the official files; for a tree, decode each image once.

    Args:
        data: data section of the study.
        document: gives the places of its keys.
        console: where to show the progress of decoding.

    Returns:
        The images that cannot be read and are left out, each "<split>/<file>: reason".

    Raises:
        ConfigError: files are missing or damaged, images are, or the disk has no room.
    """
    root, place = path_of(data.root), data_places(document)
    if DATASETS[data.name].annotated:
        _read_annotated(data, root, place, console)
        return ()
    if not data.tree:
        require(data.name, root, place=document.place(("data", "name")))
        return ()
    for line in data.aside_lines():
        console.print(printable(line), soft_wrap=True)
    tree = tree_of(data, root, place=place)
    requests = [request_of(files, data, root) for files in (tree.train, tree.test)]
    check_room(requests, place)
    left_out, readable = [], []
    for files, request in zip((tree.train, tree.test), requests, strict=True):
        _build(request, place, console)
        cached = open_cache(request)
        readable.append(cached.readable)
        left_out += [f"{files.folder.name}/{each}" for each in cached.damaged]
    for each in left_out:
        console.print(printable(f"left out: {data.root}/{each}"), soft_wrap=True)
    check_readable(
        tree,
        (readable[0], readable[1]),
        validation=data.validation,
        train=data.train,
        place=place,
    )
    return tuple(left_out)


def _read_annotated(
    data: PlannedData, root: Path, place: Callable[[str], str], console: Console
) -> None:
    """Read annotations, and each image once, so that no trial finds a defect in them."""
    read = import_attribute(DATASETS[data.name].checker)
    title = f"reading all of {data.name}"
    try:
        with _Bar(title, console) as bar:
            notes = read(data, root, advance=bar.advance)
    except ConfigError as error:
        raise ConfigError(
            *(_placed(line, place) for line in str(error).splitlines())
        ) from error
    for note in notes:
        console.print(printable(note), soft_wrap=True)


def _placed(line: str, place: Callable[[str], str]) -> str:
    """An error that names a key of the data section, with that key's place in the file."""
    key, _, problem = line.removeprefix("data.").partition(": ")
    return f"{place(key)}: {problem}" if line.startswith("data.") else line


def _build(request: CacheRequest, place: Callable[[str], str], console: Console) -> None:
    """Decode what is not decoded yet, with a bar where a console can redraw it."""
    folder = printable(text_of(request.files.folder))
    title = f"decoding {folder} at {request.side} px"
    with _Bar(title, console) as bar:
        build(request, workers=usable_cores(), place=place, advance=bar.advance)


class _Bar:
    """Shows progress: a bar where a console can redraw it, else an occasional line.

    Args:
        title: what is being done.
        console: where to show it.
    """

    def __init__(self, title: str, console: Console) -> None:
        self._title, self._console, self._said = title, console, 0
        self._redraws = can_redraw(console)
        self._bar = Progress(
            TextColumn("{task.description}", markup=False),  # a folder's name may have brackets
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not self._redraws,
        )
        self._task = self._bar.add_task(title, total=None)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def advance(self, done: int, total: int) -> None:
        """Show that `done` of `total` are done."""
        self._bar.update(self._task, completed=done, total=total)
        if not self._redraws and done * _LINES // total > self._said:
            self._said = done * _LINES // total
            self._console.print(f"{self._title}: {done:,} of {total:,}", soft_wrap=True)
