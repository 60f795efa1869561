"""Decides whether decoded images of a tree are kept, and where."""

from pathlib import Path

from res2net.file_names import path_of
from search.images.cache import CacheRequest
from search.images.tree import Files
from search.schema.data import PlannedData

_LARGEST_CACHE = 200 * 10**9  # bytes of pixels; larger sets are decoded each time
_FOLDER = ".decoded"  # below data.root, where data.cache is not given


def request_of(files: Files, data: PlannedData, root: Path) -> CacheRequest:
    """The cache request for the files of one split."""
    return CacheRequest(
        files=files,
        side=data.resize,
        channels=data.channels,
        folder=path_of(data.cache) if data.cache else root / _FOLDER,
        keep_pixels=keeps_pixels(data),
        allowed_damaged=data.damaged,
    )


def keeps_pixels(data: PlannedData) -> bool:
    """Whether images are decoded once and kept; it depends on the size of the training set."""
    if data.storage != "auto":
        return data.storage == "cached"
    return (data.train + data.validation) * data.resize**2 * data.channels <= _LARGEST_CACHE
