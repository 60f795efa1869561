"""Lists a class folder: its images, and every other file below it under a stated reason.

Names in, names out: no image is opened. No torch here.
"""

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
_BROKEN, _CLOSED = "links that lead nowhere", "sub-folders that cannot be opened"
_ODD = "not regular files"  # pipes, devices
_SHOWN = 5  # endings of names


@dataclass
class Listing:
    """The files of a class folder.

    Attributes:
        images: names of those that are read, ascending.
        aside: how many others there are, by reason.
        suffixes: endings of those whose name says that they are no images.
    """

    images: list[str] = field(default_factory=list)
    aside: Counter[str] = field(default_factory=Counter)
    suffixes: set[str] = field(default_factory=set)


def list_class(folder: Path) -> Listing:
    """List the files right in a folder, and count those that are not read.

    Raises:
        OSError: the folder itself cannot be read.
    """
    listing = Listing()
    with os.scandir(folder) as entries:
        for entry in entries:
            if is_folder(entry):
                _count_below(entry.path, listing.aside, within=folder)
            elif entry.name.startswith("."):
                listing.aside[_HIDDEN] += 1
            elif entry.is_symlink() and not os.path.exists(entry.path):  # noqa: PTH110 - no Path each
                listing.aside[_BROKEN] += 1
            elif not entry.is_file():
                listing.aside[_ODD] += 1
            elif entry.name.lower().endswith(SUFFIXES):
                listing.images.append(text_of(entry.name))
            else:
                listing.aside[NOT_AN_IMAGE] += 1
                listing.suffixes.add(printable(text_of(Path(entry.name).suffix)))
    listing.images.sort()
    return listing


def is_folder(entry: os.DirEntry[str]) -> bool:
    """Tell whether an entry is a folder, or leads to one; a link to itself leads nowhere."""
    try:
        return entry.is_dir()
    except OSError:
        return False


def _count_below(folder: str, aside: Counter[str], *, within: Path) -> None:
    """Count all files below a sub-folder, through links too, none twice."""

    def closed(_: OSError) -> None:
        aside[_CLOSED] += 1

    seen = {os.path.realpath(within)}
    for here, folders, files in os.walk(folder, onerror=closed, followlinks=True):
        real = os.path.realpath(here)
        if real in seen:
            folders.clear()  # a link that leads back
            continue
        seen.add(real)
        if files:
            aside[_NESTED] += len(files)


def reasons(listings: Iterable[Listing]) -> dict[str, int]:
    """What several class folders leave aside, by reason, most first.

    Of files that are no images by their names it says the endings of these.
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
