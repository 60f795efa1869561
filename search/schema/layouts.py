"""Published facts of the annotated data sets: the sets of each, and how pairs are written.

No torch here.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

_BOXES, _SEMANTIC = frozenset({"boxes"}), frozenset({"semantic"})
Pair = tuple[str, ...]  # folder of images, folder of maps and, optionally, a list of names


class SetFacts(NamedTuple):
    """A choice of images and annotations; sizes in images, the side in pixels.

    Attributes:
        train, test: as published.
        classes: classes of objects, or of pixels without the background.
        image_size: what networks see unless the space file gives a size.
        gives: which annotations are read of each image.
        summary: what it is, in a line.
        joints: number of keypoints of an object.
        every: all images of the test part, including those without objects; 0: as `test`.
    """

    train: int
    test: int
    classes: int
    image_size: int
    gives: frozenset[str]
    summary: str
    joints: int = 0
    every: int = 0


VOC: Mapping[str, SetFacts] = {
    "voc07": SetFacts(5011, 4952, 20, 600, _BOXES, "trainval of 2007, test of 2007"),
    "voc07+12": SetFacts(
        16_551, 4952, 20, 600, _BOXES, "trainval of 2007 and 2012, test of 2007"
    ),
    "voc12": SetFacts(1464, 1449, 20, 512, _SEMANTIC, "train of 2012, its val as the test"),
    "voc12+sbd": SetFacts(
        10_582,
        1449,
        20,
        512,
        _SEMANTIC,
        "train of 2012 and the images of SBD that are not in its val, which is the test",
    ),
}
COCO: Mapping[str, SetFacts] = {
    "boxes": SetFacts(118_287, 5000, 80, 800, _BOXES, "train2017, val2017 as the test"),
    "masks": SetFacts(
        118_287, 5000, 80, 800, _BOXES | {"masks"}, "the same, with the pixels of objects"
    ),
    # Of the 118,287 and 5,000 images, those showing a person with a labelled joint.
    "keypoints": SetFacts(
        56_599,
        2346,
        1,
        256,
        _BOXES | {"keypoints"},
        "their images with people whose joints are labelled",
        joints=17,
        every=5000,
    ),
}


def one_pair(value: Any) -> Pair | None:
    """`[images, maps]` or `[images, maps, names.txt]`."""
    if value is None:
        return None
    words = isinstance(value, tuple) and all(isinstance(one, str) and one for one in value)
    if not words or len(value) not in (2, 3):
        raise ValueError(
            "is not a pair of folders; write [DUTS-TE/DUTS-TE-Image, DUTS-TE/DUTS-TE-Mask] "
            "and, if not all images are meant, a third item: a file with one name per line"
        )
    pair: Pair = value
    return pair


def some_pairs(value: Any) -> tuple[Pair, ...] | None:
    """A list of such pairs: `[[images, maps], ...]`."""
    if value is None:
        return None
    if not isinstance(value, tuple) or not value or isinstance(value[0], str):
        raise ValueError(
            "is not a list of pairs; write [[DUTS-TR/DUTS-TR-Image, DUTS-TR/DUTS-TR-Mask]]"
        )
    return tuple(pair for one in value if (pair := one_pair(one)) is not None)
