"""Splits annotated data sets: counted as planned, with some images held out to validate on."""

import numpy as np

from search.images.sets import cut_evenly
from search.scenes.findings import Findings, LayoutError
from search.scenes.scene import Part, Scenes, SceneSplits
from search.schema.data import PlannedData


def parted(data: PlannedData, train: Scenes, test: Scenes, found: Findings) -> SceneSplits:
    """The scenes of a study, those to validate on held out of the training scenes.

    Which ones are held out depends only on how many there are.

    Args:
        data: gives their numbers.
        train: scenes to train and to validate on.
        test: scenes to test on.
        found: defects found while they were read.

    Raises:
        LayoutError: there are defects with which they cannot be used, or their number is not
            the planned one.
    """
    found.check()
    for key, planned, there in (
        ("images", data.images, len(train)),
        ("test", data.test, len(test)),
    ):
        if planned != there:
            what = "to train and to validate on" if key == "images" else "to test on"
            raise LayoutError(
                key,
                f"there are {there:,} images {what}, but the plan has {planned:,}, as "
                f"published or as written; complete the files in {data.root}, or write {key}: "
                f"{there}",
            )
    kept, cut = cut_evenly(np.zeros(len(train), np.int64), data.validation)
    return SceneSplits(
        train=Part(train, kept[: data.train].tolist()),
        validation=Part(train, cut.tolist()),
        test=Part(test, range(len(test))),
        classes=train.classes,
        joints=train.joints,
        mirrored=train.mirrored,
        notes=found.notes,
    )
