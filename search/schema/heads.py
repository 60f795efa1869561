"""What the head of each task costs, from the features that it takes. No torch here.

The convention is that of `res2net.cost`: multiply-adds of convolutions and linear layers, for
one image as networks are scored; learnable numbers. A transposed convolution multiplies each
pixel that goes in with its whole kernel.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from res2net.features import FeatureMap
from res2net.tally import ONE, Size, Tally, strided

_LOW_LEVEL = 48  # channels of DeepLabv3+ for the first stage, as the paper has it
_RATES = 3  # dilated convolutions of DeepLabv3+
_DECONVOLUTIONS = 3  # of SimpleBaseline
_ANCHORS = 3  # at each place of a feature pyramid
_BOXES = 1000  # that torchvision's heads look at in an image when it scores, at most
_MASKED = 100  # of which it finds the mask, at most
_BOX_SIDE, _MASK_SIDE = 7, 14  # of what is cut out of a pyramid for each box
_MASK_CONVOLUTIONS = 4


class Seen(NamedTuple):
    """What a head is put on, and what it has to tell apart.

    Attributes:
        image: of what the network sees, in pixels.
        features: of every stage of the backbone, in their order.
        classes: of the data set, without the background.
        joints: keypoints of an object; 0 where there are none.
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
    tally.conv_norm(last.channels, channels, size=ONE)  # on the mean of the image
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
        tally.conv_norm(before, channels, kernel=4, size=size)  # of what goes in
        before, size = channels, Size(2 * size.height, 2 * size.width)
    _biased(tally, channels, seen.joints, size=size)


def count_detection(tally: Tally, seen: Seen, options: Mapping[str, Any]) -> None:
    """Add a feature pyramid, the proposals, and what looks at the boxes of an image."""
    channels, hidden = options["channels"], options["hidden"]
    levels = _one_a_stride(seen)
    for level in levels:
        _biased(tally, level.channels, channels, size=level.size)
        _biased(tally, channels, channels, kernel=3, size=level.size)
    sizes = [level.size for level in levels]
    every = _together([*sizes, strided(sizes[-1], 2)])  # the layers of proposals are shared
    _biased(tally, channels, channels, kernel=3, size=every)
    _biased(tally, channels, 5 * _ANCHORS, size=every)  # a score and four sides
    boxes = Size(1, _boxes(options))
    _biased(tally, channels * _BOX_SIDE**2, hidden, size=boxes)
    _biased(tally, hidden, hidden, size=boxes)
    _biased(tally, hidden, 5 * (seen.classes + 1), size=boxes)


def count_instances(tally: Tally, seen: Seen, options: Mapping[str, Any]) -> None:
    """Add the same, and what finds the masks of the best boxes."""
    count_detection(tally, seen, options)
    masked = min(_MASKED, _boxes(options) * seen.classes)  # a box may be of several classes
    channels, cut = options["channels"], Size(masked, _MASK_SIDE**2)
    for _ in range(_MASK_CONVOLUTIONS):
        _biased(tally, channels, channels, kernel=3, size=cut)
    _biased(tally, channels, channels, kernel=2, size=cut)  # transposed, of what goes in
    _biased(tally, channels, seen.classes + 1, size=Size(4 * masked, _MASK_SIDE**2))


def _one_a_stride(seen: Seen) -> list[FeatureMap]:
    """Of features of the same stride the last."""
    return list({feature.stride: feature for feature in seen.features}.values())


def _boxes(options: Mapping[str, Any]) -> int:
    """As many boxes as the heads look at when the space file does not say."""
    return options["proposals"] or _BOXES


def _separable(tally: Tally, inputs: int, outputs: int, size: Size) -> None:
    """A 3x3 of each channel alone, and a 1x1 with its norm."""
    tally.conv(inputs, inputs, kernel=3, size=size, groups=inputs)
    tally.conv_norm(inputs, outputs, size=size)


def _biased(tally: Tally, inputs: int, outputs: int, *, size: Size, kernel: int = 1) -> None:
    tally.conv(inputs, outputs, kernel=kernel, size=size)
    tally.bias(outputs)


def _together(sizes: Sequence[Size]) -> Size:
    """As many pixels as all of these: one layer may pass over several maps."""
    return Size(1, sum(size.area for size in sizes))
