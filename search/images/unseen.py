"""Counts the images of a tree that is not here, from published facts or from the section.

Only for plans: the networks and their costs are exact, the numbers of images may not be.
No torch here.
"""

from collections.abc import Callable

from res2net.file_names import path_of
from search.images.class_list import chosen
from search.images.coverage import images_to_train
from search.schema.data import Data, PlannedData, Sizes, planned_data
from search.schema.datasets import DATASETS
from search.schema.yaml import ConfigError

Place = Callable[[str], str]


def plan_unseen(data: Data, place: Place) -> PlannedData:
    """Count a data section without its files.

    Args:
        data: data section of a tree whose folder is missing, or empty.
        place: gives the place of a key of the section, for messages.

    Returns:
        The section in numbers, marked as unseen. Where only a share of the published classes
        or images is taken, their numbers are scaled by it.

    Raises:
        ConfigError: nothing gives the number of images, or there are too few.
    """
    sizes = _published(data, place) or _written(data, place)
    _check_enough(data, sizes, place)
    limit = data.images_per_class
    there = min(sizes.train, sizes.classes * limit) if limit else sizes.train
    train = images_to_train(data, there, place)
    known = Sizes(sizes.classes, train, data.test or sizes.test)
    return planned_data(data, unseen=known)


def _check_enough(data: Data, sizes: Sizes, place: Place) -> None:
    """Refuse a limit per class that the smallest class cannot reach, whichever are chosen."""
    published = DATASETS[data.name].published
    if published is None or data.images is not None:
        most = sizes.train // sizes.classes  # the smallest has at most the mean
    elif sizes.classes == published.classes:
        most = published.fewest
    else:
        most = published.largest
    if data.images_per_class and data.images_per_class > most:
        raise ConfigError(
            f"{place('images_per_class')}: {data.images_per_class:,} is more than the {most:,} "
            f"images that the smallest of the {sizes.classes:,} classes can have as far as "
            f"{data.name} is known; lower it"
        )


def _published(data: Data, place: Place) -> Sizes | None:
    """The requested share of a published data set, including validation images."""
    published = DATASETS[data.name].published
    if published is None or data.images is not None:
        return None
    classes = _classes(data, place) or published.classes
    if classes > published.classes:
        raise ConfigError(
            f"{place('classes')}: {classes:,} is more than the {published.classes:,} classes "
            f"of {data.name}; lower it"
        )
    share = classes / published.classes
    return Sizes(classes, round(published.train * share), round(published.test * share))


def _written(data: Data, place: Place) -> Sizes:
    """The numbers that the section gives, including validation images."""
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
        root = path_of(data.root)
        found = "is empty" if root.exists() else "is not there"
        raise ConfigError(
            f"{place('root')}: {root.absolute()} {found}; give the folder "
            f"that holds train/ and val/, or, to plan without it, write {' and '.join(missing)}"
        )
    return Sizes(classes, data.images, data.test or 0)


def _classes(data: Data, place: Place) -> int | None:
    """Number of classes that the section names; None where it gives none."""
    if isinstance(data.classes, str | tuple):
        return len(chosen(data.classes, None, place))
    return data.classes
