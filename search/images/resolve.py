"""Completes the data section from a tree of class folders. No torch here."""

import contextlib
import hashlib
from collections.abc import Callable
from pathlib import Path

from res2net.file_names import bytes_of, path_of, text_of
from search.images.class_list import listed, named
from search.images.coverage import check_coverage, images_to_train
from search.images.pairs import are_there, list_pairs
from search.images.tree import Tree, read_tree
from search.images.unseen import plan_unseen
from search.schema.data import Data, PlannedData, Sizes, planned_data
from search.schema.datasets import DATASETS
from search.schema.yaml import ConfigError, Document


def resolve_data(
    data: Data, document: Document, *, unseen: bool = False, known: PlannedData | None = None
) -> PlannedData:
    """Count the images of a data section; for a tree, by listing its files.

    Args:
        data: data section as written.
        document: gives the places of its keys.
        unseen: whether a tree may be counted from what is known of it, if its folder is
            missing, or empty like the mount point of an absent disk.
        known: images of a study that has begun, which are used where train/ or val/ is gone.

    Raises:
        ConfigError: the tree is not one, or not large enough (see `search.images.tree`).
    """
    place = data_places(document)
    if DATASETS[data.name].pairs:
        return _count_pairs(data, place)
    if not DATASETS[data.name].tree:
        return planned_data(data)
    root = path_of(data.root)
    gone = _holds_nothing(root / "train") or _holds_nothing(root / "val")
    if gone and known is not None and _is_meant(data, known, place):
        # With the place that is given now: trials that are left to run need the files there.
        return known.model_copy(update={"root": data.root})
    if unseen and _holds_nothing(root):
        return plan_unseen(data, place)
    return _look_at(data, place)


def _count_pairs(data: Data, place: Callable[[str], str]) -> PlannedData:
    """Count images and maps by listing their folders or, without these, as the section says."""
    assert data.train_pairs, "the section was checked"
    assert data.test_pair, "the section was checked"
    root = path_of(data.root)
    written = data.images is not None and data.test is not None
    if written and not are_there(data.train_pairs, data.test_pair, root):
        return planned_data(data)
    try:
        train, test = map(len, list_pairs(data.train_pairs, data.test_pair, root))
    except ConfigError as error:
        key, _, problem = str(error).removeprefix("data.").partition(": ")
        raise ConfigError(f"{place(key)}: {problem}") from error
    for key, said, found in (("images", data.images, train), ("test", data.test, test)):
        if said not in (None, found):
            raise ConfigError(
                f"{place(key)}: {said:,} images are expected, but {found:,} are there; correct "
                "the number, or the folders"
            )
    wanted = data.validation + (data.train or 1)
    if wanted > train:
        raise ConfigError(
            f"{place('validation')}: validation {data.validation:,} + train "
            f"{data.train or 1:,} is more than the {train:,} training images; lower one"
        )
    return planned_data(data.model_copy(update={"images": train, "test": test}))


def _holds_nothing(folder: Path) -> bool:
    """Whether a folder is missing or empty; one that may not be listed counts as neither."""
    try:
        return not folder.exists() or (folder.is_dir() and not any(folder.iterdir()))
    except OSError:
        return False


def _look_at(data: Data, place: Callable[[str], str]) -> PlannedData:
    """Count the images of a tree."""
    tree = read_tree(
        path_of(data.root),
        classes=data.classes,
        images_per_class=data.images_per_class,
        place=place,
    )
    there = len(tree.train.names)
    if data.images not in (None, tree.train.there):
        raise ConfigError(
            f"{place('images')}: {data.images:,} images are expected, but {data.root} has "
            f"{tree.train.there:,} in the chosen classes; correct the number, or data.root"
        )
    train = images_to_train(data, there, place)
    check_coverage(tree, validation=data.validation, train=train, place=place)
    names = bytes_of("\n".join(tree.train.names + tree.test.names))
    digest = hashlib.sha256(names).hexdigest()
    if data.digest not in (None, digest):
        raise ConfigError(
            f"{place('digest')}: the files of {data.root} have {digest}, so they "
            "are not the images that were meant; set data.root to those, or remove the digest"
        )
    test = len(tree.test.names)
    if data.test not in (None, test):
        raise ConfigError(
            f"{place('test')}: {data.test:,} is not a limit: the {test:,} test images "
            "are always used; leave it out"
        )
    found: dict[str, object] = {
        "classes": tree.classes,
        "train": train,
        "test": test,
        "digest": digest,
    }
    if data.cache:  # as workers may have another current folder
        found["cache"] = text_of(path_of(data.cache).resolve())
    aside = {files.folder.name: files.reasons for files in (tree.train, tree.test)}
    return planned_data(data.model_copy(update=found), aside)


def _is_meant(data: Data, known: PlannedData, place: Callable[[str], str]) -> bool:
    """Whether a section agrees with what is known of its images."""
    if not (
        _are_meant_classes(data, known, place)
        and _are_meant_numbers(data, known)
        and data.test in (None, known.test or data.test)  # 0 means unknown
        and data.digest in (None, known.digest or data.digest)
    ):
        return False
    again = planned_data(data, unseen=Sizes(known.classes, known.train, known.test))
    keys = ("name", "validation", "images_per_class", "resolution", "resize", "channels")
    return all(getattr(again, key) == getattr(known, key) for key in keys)


def _are_meant_classes(data: Data, known: PlannedData, place: Callable[[str], str]) -> bool:
    """Whether the chosen classes may be the known ones."""
    if not isinstance(data.classes, str | tuple):
        return data.classes in (None, known.classes)
    there = known.class_names
    if isinstance(data.classes, tuple):
        wanted = named(data.classes, there)
    else:
        wanted = None
        with contextlib.suppress(ConfigError):
            wanted = listed(path_of(data.classes), None, place)  # may be gone with the images
            wanted = listed(path_of(data.classes), there, place)  # not text, so not those names
    return wanted is None or sorted(one.name for one in wanted) == sorted(there)


def _are_meant_numbers(data: Data, known: PlannedData) -> bool:
    """Whether `train`, `images` and `images_per_class` may give the known training images."""
    limit = data.images_per_class
    there = known.classes * limit if limit else data.images
    if there is None:  # only listing the files could tell
        return data.train in (None, known.train)
    train = data.train or there - data.validation
    enough = data.images is None or data.images >= there
    return enough and train == known.train and train + data.validation <= there


def tree_of(data: PlannedData, root: Path, *, place: Callable[[str], str]) -> Tree:
    """The images that a study chose from a tree.

    Args:
        data: data section of imagenet or imagefolder.
        root: the folder that holds train/ and val/.
        place: gives the place of a key of the section, for messages.
    """
    return read_tree(
        root, classes=data.class_names, images_per_class=data.images_per_class, place=place
    )


def data_places(document: Document) -> Callable[[str], str]:
    """A function that gives the place of a data key, for messages: `file:line: data.key`."""
    return lambda key: f"{document.place(('data', key))}: data.{key}"
