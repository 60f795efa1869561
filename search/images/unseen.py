"""Counts the images of a tree that is not here, from what is published of it or was written.

For plans alone: the networks and their costs are exact, the numbers of images may not be.
No torch here.
"""

from collections.abc import Callable

from res2net.file_names import path_of
from search.images.class_list import check_once, listed, named
from search.schema.data import Data, PlannedData, Sizes, planned_data
from search.schema.datasets import DATASETS
from search.schema.yaml import ConfigError

Place = Callable[[str], str]


def plan_unseen(data: Data, place: Place) -> PlannedData:
    """Count a data section without its files.

    Args:
        data: of a tree whose folder is not there.
        place: where a key of the section stands, for messages.

    Returns:
        The section in numbers, marked as unseen. Where only a share of the published classes
        or images is taken, their numbers are shares too.

    Raises:
        ConfigError: nothing says how many images there are, or they are too few.
    """
    sizes = _published(data, place) or _written(data, place)
    limit = data.images_per_class
    there = min(sizes.train, sizes.classes * limit) if limit else sizes.train
    train = data.train or there - data.validation
    if train < 1 or data.validation + train > there:
        wanted = f"validation {data.validation:,} + train {max(train, 1):,}"
        raise ConfigError(
            f"{place('validation')}: {wanted} is more than the {there:,} training images that "
            f"{data.name} has by what is known of it; lower one"
        )
    known = Sizes(sizes.classes, train, data.test or sizes.test)
    return planned_data(data, unseen=known)


def _published(data: Data, place: Place) -> Sizes | None:
    """Take the share of a published data set that is asked for, validation images included."""
    published = DATASETS[data.name].published
    if published is None or data.images is not None:
        return None
    classes = _classes(data, place) or published.classes
    if classes > published.classes:
        raise ConfigError(
            f"{place('classes')}: {classes:,} is more than the {published.classes:,} classes "
            f"of {data.name}; lower it"
        )
    limit = data.images_per_class or 1
    if limit > published.most:
        raise ConfigError(
            f"{place('images_per_class')}: {limit:,} is more than the {published.most:,} "
            f"training images of the largest class of {data.name}; lower it"
        )
    share = classes / published.classes
    return Sizes(classes, round(published.train * share), round(published.test * share))


def _written(data: Data, place: Place) -> Sizes:
    """Take what the section says of the tree, validation images included."""
    classes = _classes(data, place)
    missing = [
        f"{key} ({meaning})"
        for key, value, meaning in (
            ("classes", classes, "how many"),
            ("images", data.images, "to train and to validate on"),
        )
        if value is None
    ]
    if classes is None or data.images is None:
        raise ConfigError(
            f"{place('root')}: {path_of(data.root).absolute()} is not there; name the folder "
            f"that holds train/ and val/, or, to plan without it, write {' and '.join(missing)}"
        )
    return Sizes(classes, data.images, data.test or 0)


def _classes(data: Data, place: Place) -> int | None:
    """Count the classes that the section names; None where it leaves them open."""
    if not isinstance(data.classes, str | tuple):
        return data.classes
    wanted = (
        listed(path_of(data.classes), None, place)
        if isinstance(data.classes, str)
        else named(data.classes, ())
    )
    check_once(wanted, place)
    if not wanted:
        raise ConfigError(f"{place('classes')}: {data.classes} names no class; name some")
    return len(wanted)
