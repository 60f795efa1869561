"""The dimensions of a space file: which networks are candidates. No torch here."""

import itertools
from collections.abc import Iterator
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, ValidationInfo, model_validator

from res2net import Architecture, ArchitectureError
from res2net.architecture import PerStage, Version
from res2net.blocks import DEFAULT_BLOCK, block_of, check_block_name
from res2net.blocks.base import FirstBlock
from res2net.skeletons import Depth, skeleton_of
from search.schema.parts import is_trusted
from search.schema.section import Section
from search.schema.values import (
    EachStage,
    MisfitError,
    counts,
    counts_or_none,
    depths,
    flags,
    sizes,
    split_stack,
    stacks,
    widths,
)

FIXED = ("version", "first_block", "block")  # the same in the whole space
WIDEST = 1 << 14  # channels of one group of one split; `fill` looks no further


Sizes = tuple[PerStage, ...] | EachStage


def block_name(value: Any, info: ValidationInfo) -> str:
    """A block by name, or `module:attribute` of one, which is imported and checked."""
    try:
        (check_block_name if is_trusted(info) else block_of)(value)
    except ArchitectureError as error:
        raise ValueError(f"is not a block: {error.problem}") from error
    name: str = value
    return name


class Network(Section):
    """The dimensions of the space; each is one value or a list of values."""

    skeleton: Annotated[tuple[str, ...], BeforeValidator(stacks)] = ("cifar",)
    """How blocks are stacked; `dla60` fixes its depth too."""
    planes: Annotated[tuple[int, ...], BeforeValidator(counts)] = (64,)
    """Planes of the first stage, doubling from stage to stage; a block outputs 4 times as many
    channels (for `dla`, twice as many). [channels]
    """
    depth: Annotated[tuple[Depth, ...] | EachStage | None, BeforeValidator(depths)] = None
    """Layers, or the blocks of each stage; left out where every skeleton fixes its depth.
    [layers]
    """
    width: Annotated[Sizes | Literal["fill"], BeforeValidator(widths)]
    """Width of one group of one split in the first stage, doubling from stage to stage; `fill`:
    the widest that the budget allows. [channels]
    """
    scale: Annotated[Sizes, BeforeValidator(sizes)] = (1,)
    """Splits of a block; 1 is the ResNet or ResNeXt bottleneck. [splits]"""
    cardinality: Annotated[Sizes, BeforeValidator(sizes)] = (1,)
    """Groups of each convolution of a split. [groups]"""
    se: Annotated[tuple[bool, ...], BeforeValidator(flags)] = (False,)
    """Whether blocks have squeeze-and-excitation."""
    version: Version = "v1"
    """Variant of the ImageNet skeleton: `v1b` has a stem of three 3x3 convolutions, and
    shortcuts that average.
    """
    first_block: FirstBlock | None = None
    """What a block that opens a stage does with its last split: average it, or convolve it like
    the others; left out, as the skeleton was published.
    """
    block: Annotated[str, BeforeValidator(block_name)] = DEFAULT_BLOCK
    """The block that skeletons stack."""
    resolution: Annotated[tuple[int, ...] | None, BeforeValidator(counts_or_none)] = None
    """Side of the images that networks see, which affects their cost; the data set's images are
    resized. Left out, that of the data section. [pixels]
    """

    @property
    def stages(self) -> int:
        """Stages of the first skeleton; all have as many where anything varies by stage."""
        return len(skeleton_of(split_stack(self.skeleton[0])[0]).stages)

    def forms(self) -> tuple[tuple[str, Depth], ...]:
        """Each skeleton with each of its depths: its own, or those of the file."""
        forms: list[tuple[str, Depth]] = []
        for text in self.skeleton:
            skeleton, own = split_stack(text)
            forms += [(skeleton, depth) for depth in ((own,) if own else self._depths())]
        return tuple(forms)

    @model_validator(mode="after")
    def _coherent(self, info: ValidationInfo) -> Self:
        if is_trusted(info):
            return self
        open_depth = any(split_stack(text)[1] is None for text in self.skeleton)
        if open_depth and self.depth is None:
            raise MisfitError(
                "network.depth",
                "is missing; add it (depth: [20, 29]), or write skeleton: dla60",
            )
        if not open_depth and self.depth is not None:
            raise MisfitError(
                "network.depth",
                "has no effect, because each skeleton has its own; remove it, or write a "
                "skeleton without a number",
            )
        names = {split_stack(text)[0] for text in self.skeleton}
        try:
            counts = {len(skeleton_of(name).stages) for name in names}
        except ArchitectureError as error:
            raise MisfitError(
                "network.skeleton", f"is not a skeleton: {error.problem}"
            ) from error
        for field in ("depth", "width", "scale", "cardinality"):
            if isinstance(getattr(self, field), EachStage) and len(counts) > 1:
                raise MisfitError(
                    f"network.{field}",
                    "has a value for each stage, but the skeletons have different numbers of "
                    "stages; keep those with 3 or those with 4",
                )
        return self

    def probes(self, classes: int, channels: int = 3) -> Iterator[Architecture]:
        """One network for each value of the file, to find values that are not possible.

        Raises:
            ArchitectureError: raised while iterating, for a value that a skeleton cannot have.
        """
        fixed: dict[str, Any] = {name: getattr(self, name) for name in FIXED}
        fixed["channels"] = channels
        for (skeleton, depth), planes in itertools.product(self.forms(), self.planes):
            yield Architecture(
                skeleton=skeleton, depth=depth, planes=planes, classes=classes, **fixed
            )
        fixed["planes"] = self.planes[0]
        for (skeleton, depth), field in itertools.product(
            dict(self.forms()).items(), ("width", "scale", "cardinality")
        ):
            for value in self._written(field):
                if isinstance(value, tuple):
                    varied: dict[str, Any] = {field: value}
                    yield Architecture(skeleton=skeleton, depth=depth, **fixed, **varied)

    def largest(self, classes: int, channels: int = 3) -> Iterator[Architecture]:
        """For each skeleton and depth, a network at least as large as any of that form."""
        for skeleton, depth in self.forms():
            yield Architecture(
                skeleton=skeleton,
                depth=depth,
                planes=max(self.planes),
                width=self._most("width"),
                scale=self._most("scale"),
                cardinality=self._most("cardinality"),
                se=any(self.se),
                first_block="all",
                classes=classes,
                channels=channels,
                block=self.block,
            )

    def count(self, field: str) -> int:
        """Number of values in the file for width, scale or cardinality."""
        value = getattr(self, field)
        written = len(self._written(field))
        return int(written**self.stages) if isinstance(value, EachStage) else written

    def _depths(self) -> tuple[Depth, ...]:
        """The depths in the file, for skeletons without their own."""
        assert self.depth is not None, "checked with the skeletons"
        if isinstance(self.depth, EachStage):
            return self.depth.combinations(self.stages)
        return self.depth

    def _written(self, field: str) -> tuple[PerStage, ...]:
        value: Any = getattr(self, field)
        if value == "fill":
            return (WIDEST,)
        written: tuple[PerStage, ...] = (
            value.per_stage if isinstance(value, EachStage) else value
        )
        return written

    def _most(self, field: str) -> int:
        return max(
            max(value) if isinstance(value, tuple) else value for value in self._written(field)
        )
