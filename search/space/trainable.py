"""Refuses what cannot be trained, as far as space, recipe and images show it.

No network is made. What is refused here would fail in every trial, or in every trial of some
networks, with an error that does not name the cause.
"""

import math
from collections.abc import Iterator

from res2net import Architecture
from res2net.norms import smallest_normed_side
from res2net.skeletons import skeleton_of
from res2net.tally import Size
from search.schema.data import PlannedData
from search.schema.datasets import DATASETS
from search.schema.network import FIXED, Network
from search.schema.training import PlannedTraining
from search.schema.yaml import ConfigError, Document

_WIDEST = 4096  # pixels that images can have


def check_trainable(
    network: Network, training: PlannedTraining, data: PlannedData, document: Document
) -> None:
    """Make sure that every network of a space can take a step on every batch.

    Raises:
        ConfigError: one cannot, with the place of what to change.
    """
    _check_batch(training, data, document)
    _check_classes(data, document)
    _check_squares(training, data, document)
    _check_colours(training, data, document)
    _check_resolution(network, data, document)


def check_norms(
    network: Network,
    training: PlannedTraining,
    data: PlannedData,
    document: Document,
    *,
    size: Size,
) -> None:
    """Make sure that no batch norm ever gets only a single number per channel.

    Raises:
        ConfigError: one does, for lack of pixels and of images; names the networks.
    """
    if last_piece(training.batch_size, training.accumulate) > 1:
        return
    single = [name for name, side in _sides(network, data, size) if side == 1]
    if not single:
        return
    every = {name for name, _ in network.forms()}
    which = "all networks" if {*single} == every else f"networks of {' and '.join(single)}"
    key, problem, remedy = _one_image(training)
    larger = next(
        (
            side
            for side in range(data.resolution, _WIDEST)
            if all(one != 1 for _, one in _sides(network, data, Size(side, side)))
        ),
        None,
    )
    if data.tree and larger:
        remedy += f", or data.resolution: {larger} or more"
    raise ConfigError(
        f"{document.place(('training', key))}: training.{key}: {problem}, and at "
        f"{_written(size)} px the last feature maps of {which} are a single pixel: a batch "
        f"norm needs more than one value per channel; write {remedy}"
    )


def last_piece(batch: int, pieces: int) -> int:
    """Images of a batch's smallest piece, which is its last."""
    size = math.ceil(batch / pieces)
    return batch - size * (math.ceil(batch / size) - 1)


def _one_image(training: PlannedTraining) -> tuple[str, str, str]:
    """The key to look at, what is wrong with it, and a value that works."""
    batch, pieces = training.batch_size, training.accumulate
    if batch == 1:
        return "batch_size", "1 image is a batch", "batch_size: 2 or more"
    fewer = next(n for n in range(pieces, 0, -1) if last_piece(batch, n) > 1)
    fewer = math.ceil(batch / math.ceil(batch / fewer))  # number of pieces that this makes
    problem = f"the last of the pieces of a batch of {batch} is 1 image"
    remedy = f"accumulate: {fewer}, or batch_size: {2 * pieces}"
    return "accumulate", f"{pieces}: {problem}", remedy


def _sides(network: Network, data: PlannedData, size: Size) -> Iterator[tuple[str, int | None]]:
    """Each skeleton, with the side of the smallest map that one of its norms gets."""
    fixed = {name: getattr(network, name) for name in FIXED} | {"planes": network.planes[0]}
    for skeleton, depth in dict(network.forms()).items():
        one = Architecture(skeleton=skeleton, depth=depth, classes=data.classes, **fixed)
        yield skeleton, smallest_normed_side(one, image_size=size)


def _written(size: Size) -> str:
    height, width = size
    return f"{height}" if height == width else f"{height} x {width}"


def _check_batch(training: PlannedTraining, data: PlannedData, document: Document) -> None:
    images, size = data.train, training.batch_size
    if size > images:
        raise ConfigError(
            f"{document.place(('training', 'batch_size'))}: training.batch_size: {size:,} is "
            f"more than the {images:,} images to train on; lower it"
        )
    for key in ("mixup", "cutmix"):
        if size == 1 and getattr(training, key):
            raise ConfigError(
                f"{document.place(('training', key))}: training.{key}: mixes the images of a "
                "batch, but training.batch_size 1 gives it only one; write batch_size: 2 or "
                f"more, or remove {key}"
            )


def _check_classes(data: PlannedData, document: Document) -> None:
    if DATASETS[data.name].scenes:  # may have a single class
        return
    if data.classes < 2:
        raise ConfigError(
            f"{document.place(('data', 'classes'))}: data.classes: there is only one class, "
            "so there is nothing to tell apart; write a data set, or a choice, of two or more"
        )
    if data.train < data.classes:
        raise ConfigError(
            f"{document.place(('data', 'train'))}: data.train: {data.train:,} images to train "
            f"on cannot show all {data.classes:,} classes; write at least that many, or lower "
            "data.validation"
        )


def _check_squares(training: PlannedTraining, data: PlannedData, document: Document) -> None:
    side = data.resolution
    for key in ("crop", "cutout"):
        pixels = getattr(training, key)
        if pixels >= side:
            raise ConfigError(
                f"{document.place(('training', key))}: training.{key}: {pixels} px leave "
                f"nothing of images of {side} px; lower it"
            )


def _check_colours(training: PlannedTraining, data: PlannedData, document: Document) -> None:
    if any(training.jitter) and data.channels != 3:
        raise ConfigError(
            f"{document.place(('training', 'jitter'))}: training.jitter: is for colour "
            f"images, but these have {data.channels} channels; write [0, 0, 0, 0]"
        )


def _check_resolution(network: Network, data: PlannedData, document: Document) -> None:
    """Check that each network's last features have at least one whole place."""
    resolution = data.resolution
    for skeleton, _ in network.forms():
        stride = skeleton_of(skeleton).strides[-1]
        if data.tree and resolution < stride:
            place = document.place(("data", "resolution"))
            raise ConfigError(
                f"{place}: data.resolution: {resolution} px is less than the {stride} px that "
                f"one place in {skeleton}'s last features spans; write at least that"
            )
