"""The keys of the tasks that predict pixels or points. No torch here."""

from typing import Annotated, Literal, Self

from pydantic import Field, PositiveFloat, PositiveInt, model_validator

from search.schema.section import Section


class _Scaled(Section):
    scales: tuple[PositiveFloat, PositiveFloat] = (0.5, 2.0)
    """Range of the random factor by which an image is enlarged before the square is cut."""

    @model_validator(mode="after")
    def _upwards(self) -> Self:
        if self.scales[0] > self.scales[1]:
            raise ValueError("scales is in descending order; swap the two")
        return self


class Segmentation(_Scaled):
    """Keys of `segmentation`."""

    output_stride: Literal[8, 16] = 16
    """Side of the image area per place of the last features, which dilation keeps this dense.
    [pixels]
    """
    channels: PositiveInt = 256
    """Channels of the decoder."""


class Saliency(_Scaled):
    """Keys of `saliency`."""

    scales: tuple[PositiveFloat, PositiveFloat] = (0.75, 1.25)
    """Range of the random factor by which an image is enlarged before the square is cut."""
    channels: PositiveInt = 64
    """Channels of the decoder."""


Side = Annotated[int, Field(ge=16, le=4096)]  # of a window, in pixels


class Keypoints(Section):
    """Keys of `keypoints`."""

    window: tuple[Side, Side] = (256, 192)
    """Height and width to which the surroundings of an object are resized. [pixels]"""
    channels: PositiveInt = 256
    """Channels of each of the three deconvolutions."""
    sigma: PositiveFloat = 2.0
    """Spread of a point in the target heatmap. [pixels of the heatmap]"""
    scaling: Annotated[float, Field(ge=0, lt=1)] = 0.3
    """Largest share by which a window is randomly enlarged or shrunk."""
    turning: Annotated[float, Field(ge=0, le=180)] = 40.0
    """Largest angle by which a window is randomly turned, in either direction. [degrees]"""
    flip_test: bool = False
    """Score the mean heatmaps of a window and its mirror image, which takes twice as long."""
