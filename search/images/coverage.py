"""Makes sure that a tree has enough images, and some of each class. No torch here."""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from search.images.sets import cut_evenly
from search.images.tree import Tree
from search.schema.data import Data
from search.schema.yaml import ConfigError

Indices = npt.NDArray[np.intp]
Place = Callable[[str], str]
_SHOWN = 5  # classes in a message


def images_to_train(data: Data, there: int, place: Place) -> int:
    """Count the training images of a section: as many as it says, or all that are left.

    Args:
        data: data section of a tree.
        there: training images that the tree has, or is known to have.
        place: gives the place of a key of the section, for messages.

    Raises:
        ConfigError: there are too few to train and to validate on.
    """
    train = data.train or there - data.validation
    if train < 1 or data.validation + train > there:
        wanted = f"validation {data.validation:,} + train {max(train, 1):,}"
        raise ConfigError(
            f"{place('validation')}: {wanted} is more than the {there:,} training images of "
            f"{data.root}; lower one"
        )
    return train


def check_coverage(tree: Tree, *, validation: int, train: int, place: Place) -> None:
    """Make sure that the validation cut leaves images of each class to train on.

    Args:
        tree: the files.
        validation: images that are cut from train.
        train: how many of the others are trained on.
        place: gives the place of a setting of the data set, for messages.

    Raises:
        ConfigError: a class loses all its images to validation, or to `data.train`.
    """
    counts = np.bincount(tree.train.labels, minlength=len(tree.classes))
    if counts.min() > _turns(counts, validation) and train >= 2 * len(counts):
        return  # a quick check, even for a million images
    kept, _ = cut_evenly(tree.train.labels, validation)
    lost = _without(tree, tree.train.labels[kept[:train]])
    if lost:
        few = min(int(counts[tree.classes.index(name)]) for name in lost)
        raise ConfigError(
            f"{place('validation')}: {validation:,} images are cut from train, as evenly over "
            f"the classes as possible, and {train:,} are trained on: none is left of "
            f"{_some(lost)} (one has {few:,}); lower validation, raise train, or leave out "
            "such classes"
        )


def check_readable(
    tree: Tree,
    readable: tuple[Indices, Indices],
    *,
    validation: int,
    train: int,
    place: Place,
) -> None:
    """Make sure that damaged files leave each class images to train on and to test.

    Args:
        tree: the files.
        readable: positions of the readable files of train/ and of val/.
        validation: as for `check_coverage`.
        train: as for `check_coverage`.
        place: as for `check_coverage`.

    Raises:
        ConfigError: a class, or the whole validation split, is lost to damage.
    """
    files = len(tree.train.names) + len(tree.test.names)
    if len(readable[0]) + len(readable[1]) == files:
        return
    kept, cut = cut_evenly(tree.train.labels, validation)
    seen = tree.train.labels[np.intersect1d(kept[:train], readable[0])]
    for purpose, lost in (
        ("train on", _without(tree, seen)),
        ("test", _without(tree, tree.test.labels[readable[1]])),
    ):
        if lost:
            raise ConfigError(
                f"{place('root')}: damaged files leave no image to {purpose} of {_some(lost)}; "
                "replace the files named above, or list only the other classes in data.classes"
            )
    if not len(np.intersect1d(cut, readable[0])):
        raise ConfigError(
            f"{place('root')}: none of the {validation:,} validation images can be read; "
            "replace the files named above, or raise data.validation"
        )


def _turns(counts: npt.NDArray[np.intp], validation: int) -> int:
    """The most images that are cut from one class, as classes take turns."""
    turns = -(-validation // len(counts))
    while np.minimum(counts, turns).sum() < validation:
        turns += 1
    return turns


def _without(tree: Tree, labels: npt.NDArray[np.int64]) -> list[str]:
    """Names of the classes without a label."""
    there = np.bincount(labels, minlength=len(tree.classes))
    return [name for name, count in zip(tree.classes, there, strict=True) if not count]


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(map(repr, names[:_SHOWN]))
    more = f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
    return f"class{'es' if len(names) > 1 else ''} {shown}{more}"
