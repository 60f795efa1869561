"""Lists a class folder: its images, and all other files below it, by the reason to skip them.

Only names are read: no image is opened. No torch here.
"""

import errno
import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from res2net.file_names import printable, text_of

# As torchvision's ImageFolder: IMG_EXTENSIONS.
SUFFIXES = (".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp")
NOT_AN_IMAGE = "not an image by its name"
_NESTED, _HIDDEN = "in sub-folders", "hidden"
BROKEN, _CLOSED = "links that lead nowhere", "sub-folders that cannot be opened"
_IRREGULAR = "not a regular file"  # pipes, sockets, devices: opening one may block for ever
# Errors of links to nothing, to themselves, below a file, or to a name that cannot exist.
_NOWHERE = (errno.ENOENT, errno.ELOOP, errno.ENOTDIR, errno.ENAMETOOLONG)
_SHOWN = 5  # suffixes of names


@dataclass
class Listing:
    """The files of a class folder.

    Attributes:
        images: names of the images, ascending.
        aside: number of other files, by reason.
        suffixes: suffixes of the files whose names are not those of images.
    """

    images: list[str] = field(default_factory=list)
    aside: Counter[str] = field(default_factory=Counter)
    suffixes: set[str] = field(default_factory=set)


def list_class(folder: Path) -> Listing:
    """List the files directly in a folder, and count those that are not read.

    Raises:
        OSError: the folder itself cannot be read.
    """
    listing = Listing()
    with os.scandir(folder) as entries:
        for entry in entries:
            if is_folder(entry):
                _count_below(entry.path, listing.aside, within=folder)
                continue
            reason = _reason(entry)
            if reason is None:
                listing.images.append(text_of(entry.name))
                continue
            listing.aside[reason] += 1
            if reason == NOT_AN_IMAGE:
                listing.suffixes.add(printable(text_of(Path(entry.name).suffix)))
    listing.images.sort()
    return listing


def is_folder(entry: os.DirEntry[str]) -> bool:
    """Whether a name is a folder, or a link to one.

    Raises:
        OSError: as for `leads_nowhere`.
    """
    return not leads_nowhere(entry) and entry.is_dir()


def leads_nowhere(entry: os.DirEntry[str]) -> bool:
    """Whether a name is a link to nothing.

    Raises:
        OSError: its target may not be accessed, or its disk fails.
    """
    if not entry.is_symlink():
        return False
    try:
        entry.stat()
    except OSError as error:
        if error.errno in _NOWHERE:
            return True
        raise
    return False


def _reason(entry: os.DirEntry[str]) -> str | None:
    """Why a name that is not a folder is not read; None where it is an image."""
    if entry.name.startswith("."):
        return _HIDDEN
    if leads_nowhere(entry):
        return BROKEN
    if not entry.is_file():
        return _IRREGULAR
    return None if entry.name.lower().endswith(SUFFIXES) else NOT_AN_IMAGE


def _count_below(folder: str, aside: Counter[str], *, within: Path) -> None:
    """Count all files below a subfolder, also through links, none twice."""

    def closed(_: OSError) -> None:
        aside[_CLOSED] += 1

    seen = {os.path.realpath(within)}
    for here, folders, files in os.walk(folder, onerror=closed, followlinks=True):
        real = os.path.realpath(here)
        if real in seen:
            folders.clear()  # a link to a folder visited before
            continue
        seen.add(real)
        if files:
            aside[_NESTED] += len(files)


def reasons(listings: Iterable[Listing]) -> dict[str, int]:
    """The files that several class folders skip, by reason, most frequent first.

    For files whose names are not those of images, the reason lists their suffixes.
    """
    total: Counter[str] = Counter()
    suffixes: set[str] = set()
    for listing in listings:
        total += listing.aside
        suffixes |= listing.suffixes
    named = sorted(suffixes)
    shown = ", ".join(suffix or "no ending" for suffix in named[:_SHOWN])
    more = f" and {len(named) - _SHOWN:,} more" if len(named) > _SHOWN else ""
    return {
        f"{reason} ({shown}{more})" if reason == NOT_AN_IMAGE else reason: count
        for reason, count in total.most_common()
    }
