"""What the head of each task costs, given the features that it takes. No torch here.

The convention is that of `res2net.cost`: multiply-adds of convolutions and linear layers, for
one image as networks are scored; learnable numbers. A transposed convolution multiplies each
input pixel with its whole kernel.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from res2net.features import FeatureMap
from res2net.tally import ONE, Size, Tally, strided

_LOW_LEVEL = 48  # channels for the first stage in DeepLabv3+, as in the paper
_RATES = 3  # dilated convolutions of DeepLabv3+
_DECONVOLUTIONS = 3  # of SimpleBaseline
_ANCHORS = 3  # per place of a feature pyramid
_BOXES = 1000  # boxes per image that torchvision's heads process when scoring, at most
_MASKED = 100  # boxes for which masks are predicted, at most
_BOX_SIDE, _MASK_SIDE = 7, 14  # sides of the features cut out of a pyramid for each box
_MASK_CONVOLUTIONS = 4


class Seen(NamedTuple):
    """The input of a head, and what it has to distinguish.

    Attributes:
        image: size of what the network sees, in pixels.
        features: features of every stage of the backbone, in order.
        classes: number of classes of the data set, without the background.
        joints: number of keypoints of an object; 0 where there are none.
    """

    image: Size
    features: tuple[FeatureMap, ...]
    classes: int
    joints: int


CountHead = Callable[[Tally, Seen, Mapping[str, Any]], None]


def count_segmentation(tally: Tally, seen: Seen, options: Mapping[str, Any]) -> None:
    """Add DeepLabv3+'s decoder and the classifier of pixels."""
    channels, first, last = options["channels"], seen.features[0], seen.features[-1]
    tally.conv_norm(last.channels, channels, size=last.size)
    for _ in range(_RATES):
        _separable(tally, last.channels, channels, last.size)
    tally.conv_norm(last.channels, channels, size=ONE)  # on the image's mean feature
    tally.conv_norm((_RATES + 2) * channels, channels, size=last.size)
    _separable(tally, channels, channels, last.size)
    tally.conv_norm(first.channels, _LOW_LEVEL, size=first.size)
    _separable(tally, _LOW_LEVEL + channels, channels, first.size)
    _biased(tally, channels, seen.classes + 1, size=first.size)


def count_saliency(tally: Tally, seen: Seen, options: Mapping[str, Any]) -> None:
    """Add a U-shaped decoder on the last feature of each stride, with its side outputs."""
    channels = options["channels"]
    levels = _one_a_stride(seen)
    for level in levels:
        tally.conv_norm(level.channels, channels, size=level.size)
        tally.conv_norm(channels, channels, kernel=3, size=level.size)
        _biased(tally, channels, 1, size=level.size)
    _biased(tally, len(levels), 1, size=seen.image)


def count_keypoints(tally: Tally, seen: Seen, options: Mapping[str, Any]) -> None:
    """Add SimpleBaseline's deconvolutions and heatmaps."""
    channels, before = options["channels"], seen.features[-1].channels
    size = seen.features[-1].size
    for _ in range(_DECONVOLUTIONS):
        tally.conv_norm(before, channels, kernel=4, size=size)  # size of the input
        before, size = channels, Size(2 * size.height, 2 * size.width)
    _biased(tally, channels, seen.joints, size=size)


def count_detection(tally: Tally, seen: Seen, options: Mapping[str, Any]) -> None:
    """Add a feature pyramid, the region proposals, and the layers that process the boxes."""
    channels, hidden = options["channels"], options["hidden"]
    levels = _one_a_stride(seen)
    for level in levels:
        _biased(tally, level.channels, channels, size=level.size)
        _biased(tally, channels, channels, kernel=3, size=level.size)
    sizes = [level.size for level in levels]
    every = _together([*sizes, strided(sizes[-1], 2)])  # levels share proposal layers
    _biased(tally, channels, channels, kernel=3, size=every)
    _biased(tally, channels, 5 * _ANCHORS, size=every)  # one score and four sides
    boxes = Size(1, _boxes(options))
    _biased(tally, channels * _BOX_SIDE**2, hidden, size=boxes)
    _biased(tally, hidden, hidden, size=boxes)
    _biased(tally, hidden, 5 * (seen.classes + 1), size=boxes)


def count_instances(tally: Tally, seen: Seen, options: Mapping[str, Any]) -> None:
    """Add the same, and the layers that predict the masks of the best boxes."""
    count_detection(tally, seen, options)
    masked = min(_MASKED, _boxes(options) * seen.classes)  # a box may be of several classes
    channels, cut = options["channels"], Size(masked, _MASK_SIDE**2)
    for _ in range(_MASK_CONVOLUTIONS):
        _biased(tally, channels, channels, kernel=3, size=cut)
    _biased(tally, channels, channels, kernel=2, size=cut)  # transposed, so the input's size
    _biased(tally, channels, seen.classes + 1, size=Size(4 * masked, _MASK_SIDE**2))


def _one_a_stride(seen: Seen) -> list[FeatureMap]:
    """The last of the features of each stride."""
    return list({feature.stride: feature for feature in seen.features}.values())


def _boxes(options: Mapping[str, Any]) -> int:
    """The number of boxes that the heads process; the default if the space file gives none."""
    return options["proposals"] or _BOXES


def _separable(tally: Tally, inputs: int, outputs: int, size: Size) -> None:
    """A depthwise 3x3 convolution, and a 1x1 convolution with its norm."""
    tally.conv(inputs, inputs, kernel=3, size=size, groups=inputs)
    tally.conv_norm(inputs, outputs, size=size)


def _biased(tally: Tally, inputs: int, outputs: int, *, size: Size, kernel: int = 1) -> None:
    tally.conv(inputs, outputs, kernel=kernel, size=size)
    tally.bias(outputs)


def _together(sizes: Sequence[Size]) -> Size:
    """The sizes as one with as many pixels, for a layer that is applied to all of them."""
    return Size(1, sum(size.area for size in sizes))
