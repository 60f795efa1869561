"""The keys of the tasks that say something of pixels or points. No torch here."""

from typing import Annotated, Literal, Self

from pydantic import Field, PositiveFloat, PositiveInt, model_validator

from search.schema.section import Section


class _Scaled(Section):
    scales: tuple[PositiveFloat, PositiveFloat] = (0.5, 2.0)
    """Range of the random factor by which an image is larger than the square that is cut."""

    @model_validator(mode="after")
    def _upwards(self) -> Self:
        if self.scales[0] > self.scales[1]:
            raise ValueError("scales goes down; swap the two")
        return self


class Segmentation(_Scaled):
    """Keys of `segmentation`."""

    output_stride: Literal[8, 16] = 16
    """Pixels of the image for one of the last features, which dilation keeps so dense. [pixels]
    """
    channels: PositiveInt = 256
    """Channels of the decoder."""


class Saliency(_Scaled):
    """Keys of `saliency`."""

    scales: tuple[PositiveFloat, PositiveFloat] = (0.75, 1.25)
    """Range of the random factor by which an image is larger than the square that is cut."""
    channels: PositiveInt = 64
    """Channels of the decoder."""


Side = Annotated[int, Field(ge=16, le=4096)]  # of a window, in pixels


class Keypoints(Section):
    """Keys of `keypoints`."""

    window: tuple[Side, Side] = (256, 192)
    """Height and width to which what is around an object is resized. [pixels]"""
    channels: PositiveInt = 256
    """Channels of each of the three deconvolutions."""
    sigma: PositiveFloat = 2.0
    """Spread of a point in the heatmap that is learned. [pixels of the heatmap]"""
    scaling: Annotated[float, Field(ge=0, lt=1)] = 0.3
    """Share by which a window is made larger or smaller at random, at most."""
    turning: Annotated[float, Field(ge=0, le=180)] = 40.0
    """Angle by which a window is turned at random, at most, to each side. [degrees]"""
    flip_test: bool = False
    """Score by the mean heatmaps of a window and of its mirror image, in twice the time."""
