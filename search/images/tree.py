"""Lists image files below class folders: `train/<class>/<file>` and `val/<class>/<file>`.

Only names are read: no image is opened. Names are text of `res2net.file_names`, the same in
every locale. No torch here.
"""

import difflib
import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from res2net.file_names import fs_name, text_of
from search.images.class_list import Wanted, chosen
from search.images.listing import (
    BROKEN,
    SUFFIXES,
    Listing,
    is_folder,
    leads_nowhere,
    list_class,
    reasons,
)
from search.schema.files import in_words
from search.schema.seeds import seed_of
from search.schema.yaml import ConfigError

_CHOICE_SEED = 0  # of every choice; never the study's, so that studies are comparable
_LAYOUT = "train/<class>/<image> and val/<class>/<image>"
_SHOWN = 5  # names in a message

Place = Callable[[str], str]
_Item = TypeVar("_Item")


class Files(NamedTuple):
    """Image files of one split, class by class in order of the classes, by name within one.

    `folder` is root/train or root/val; `names` are `<class>/<file>`; `labels` (N,) count the
    classes from 0. Files that are not read are counted: in `aside` for each class that has
    some, by reason, and in `reasons` for all. `there` counts the images before any limit per
    class.
    """

    folder: Path
    names: tuple[str, ...]
    labels: npt.NDArray[np.int64]
    aside: Mapping[str, Mapping[str, int]] = {}
    reasons: Mapping[str, int] = {}
    there: int = 0

    def path(self, index: int) -> Path:
        """The path of a file."""
        return self.folder / fs_name(self.names[index])


class Tree(NamedTuple):
    """Sorted class names, and files; `test` is val/: the official validation images."""

    classes: tuple[str, ...]
    train: Files
    test: Files


def read_tree(
    root: Path,
    *,
    classes: int | str | tuple[str, ...] | None,
    images_per_class: int | None,
    place: Place,
) -> Tree:
    """List a data set.

    Images directly in a class folder are read. All other files are skipped and counted: hidden
    files, files in subfolders, files whose names are not those of images, irregular files,
    links that lead nowhere, files beside the class folders, and those of classes that only val/
    has.

    Args:
        root: the folder that holds train/ and val/.
        classes: None for all; a number of classes, the same ones in every study; the path of a
            list file (`search.images.class_list`); or the names.
        images_per_class: number of train images of each class, the same ones whatever other
            classes there are; None for all. Test images are not limited.
        place: gives the place of a setting of the data set, for messages.

    Raises:
        ConfigError: what is there, or what is asked for, is not a data set in this layout.
    """
    train, test = root / "train", root / "val"
    try:
        _check_layout(root, place)
        there = _class_folders(train, place)
        tested = _class_folders(test, place)
        taken = _choose(classes, there, train, place)
        _check_tested(taken, tested, test, place)
        untrained = sorted(set(tested) - set(there))
        return Tree(
            classes=taken,
            train=_read(train, taken, images_per_class, place),
            test=_read(test, taken, None, place, untrained=untrained),
        )
    except OSError as error:
        raise ConfigError(f"{place('root')}: {in_words(error)}") from error


def _check_layout(root: Path, place: Place) -> None:
    if not root.is_dir():
        found = "is a file" if root.exists() else "is not there"
        raise ConfigError(
            f"{place('root')}: {root.absolute()} {found}; give the folder that holds {_LAYOUT}"
        )
    missing = [split for split in ("train", "val") if not (root / split).is_dir()]
    if missing:
        raise ConfigError(
            f"{place('root')}: {root.absolute()} has no {'/ and no '.join(missing)}/; it "
            f"contains {_content(root)}; expected is {_LAYOUT}"
        )


def _class_folders(folder: Path, place: Place) -> list[str]:
    with os.scandir(folder) as entries:
        names = [e.name for e in entries if not e.name.startswith(".") and is_folder(e)]
    if names:
        return sorted(map(text_of, names))
    if list_class(folder).images:
        remedy = "sort them into one folder for each class"
        if folder.name == "val":
            remedy += ", as train/ is; ImageNet's are flat as they are downloaded"
        raise ConfigError(
            f"{place('root')}: {folder} holds images but no class folders; {remedy}"
        )
    raise ConfigError(
        f"{place('root')}: {folder} has no class folders; it contains {_content(folder)}; "
        f"expected is {_LAYOUT}"
    )


def _choose(
    classes: int | str | tuple[str, ...] | None, there: list[str], folder: Path, place: Place
) -> tuple[str, ...]:
    if classes is None:
        return tuple(there)
    if isinstance(classes, int):
        return _draw_classes(classes, there, folder, place)
    wanted = chosen(classes, there, place)
    _check_known(wanted, there, folder, place)
    return tuple(sorted(name for name, _ in wanted))


def _draw_classes(count: int, there: list[str], folder: Path, place: Place) -> tuple[str, ...]:
    if not 1 <= count <= len(there):
        raise ConfigError(
            f"{place('classes')}: {count:,} is not from 1 to {len(there):,}, the number of "
            f"class folders of {folder}; change it, or leave it out to take all"
        )
    rng = np.random.default_rng(seed_of(_CHOICE_SEED, "classes"))
    return tuple(there[i] for i in sorted(rng.permutation(len(there))[:count]))


def _check_known(
    wanted: Sequence[Wanted], there: list[str], folder: Path, place: Place
) -> None:
    known = set(there)
    unknown = [one for one in wanted if one.name not in known]
    if not unknown:
        return

    def show(one: Wanted) -> str:
        near = difflib.get_close_matches(one.name, there, n=1)
        return f"{one.where}{one.name!r}" + (f" (did you mean {near[0]!r}?)" if near else "")

    raise ConfigError(
        f"{place('classes')}: {len(unknown):,} of the {len(wanted):,} classes have no folder "
        f"in {folder}: {_some(unknown, show)}; correct or remove them"
    )


def _check_tested(
    taken: Sequence[str], tested: Iterable[str], folder: Path, place: Place
) -> None:
    known = set(tested)
    missing = [name for name in taken if name not in known]
    if missing:
        raise ConfigError(
            f"{place('root')}: {folder} has no folder for {len(missing):,} of the "
            f"{len(taken):,} classes of train: {_some(missing, repr)}; add their images, or "
            "list in data.classes only those that have some"
        )


def _read(
    folder: Path,
    classes: Sequence[str],
    limit: int | None,
    place: Place,
    *,
    untrained: Sequence[str] = (),
) -> Files:
    listings = [list_class(folder / fs_name(name)) for name in classes]
    found = [listing.images for listing in listings]
    empty = [name for name, images in zip(classes, found, strict=True) if not images]
    if empty:
        raise ConfigError(
            f"{place('root')}: {len(empty):,} class folders of {folder} have no images (files "
            f"that end in {' '.join(SUFFIXES)}): {_some(empty, repr)}; {empty[0]!r} "
            f"contains {_content(folder / fs_name(empty[0]))}; put images directly into it, "
            "or remove it"
        )
    there = sum(map(len, found))
    if limit is not None:
        _check_enough(limit, folder, classes, [len(images) for images in found], place)
        found = [_draw_images(limit, *one) for one in zip(classes, found, strict=True)]
    names = tuple(
        f"{name}/{image}"
        for name, images in zip(classes, found, strict=True)
        for image in images
    )
    labels = np.repeat(np.arange(len(classes), dtype=np.int64), [len(one) for one in found])
    aside = {
        name: dict(one.aside) for name, one in zip(classes, listings, strict=True) if one.aside
    }
    why = Counter(reasons(listings)) + _beside(folder, untrained)
    return Files(folder, names, labels, aside, dict(why), there)


def _beside(folder: Path, untrained: Sequence[str]) -> Counter[str]:
    """Files beside the class folders, and those of classes not trained on, by reason."""
    with os.scandir(folder) as entries:
        loose = Counter(
            BROKEN if leads_nowhere(entry) else "beside the class folders"
            for entry in entries
            if not is_folder(entry)
        )
    others = [list_class(folder / fs_name(name)) for name in untrained]
    return loose + Counter({"of classes that only val/ has": sum(map(_files, others))})


def _files(listing: Listing) -> int:
    return len(listing.images) + listing.aside.total()


def _check_enough(
    limit: int, folder: Path, classes: Sequence[str], counts: Sequence[int], place: Place
) -> None:
    fewest, name = min(zip(counts, classes, strict=True))
    if not 1 <= limit <= fewest:
        short = sum(count < limit for count in counts)
        raise ConfigError(
            f"{place('images_per_class')}: {limit:,} is not from 1 to {fewest:,}, the images "
            f"that {folder / fs_name(name)} has ({short:,} classes have fewer than {limit:,}); "
            "change it, or leave such classes out"
        )


def _draw_images(count: int, name: str, images: Sequence[str]) -> list[str]:
    rng = np.random.default_rng(seed_of(_CHOICE_SEED, f"images of {name}"))
    return [images[i] for i in sorted(rng.permutation(len(images))[:count])]


def _content(folder: Path) -> str:
    with os.scandir(folder) as entries:
        names = sorted(text_of(e.name) + "/" * is_folder(e) for e in entries)
    return _some(names, str) if names else "nothing"


def _some(items: Sequence[_Item], show: Callable[[_Item], str]) -> str:
    more = len(items) - _SHOWN
    shown = ", ".join(show(item) for item in items[:_SHOWN])
    return f"{shown} and {more:,} more" if more > 0 else shown
