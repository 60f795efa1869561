"""Describe a network as an immutable, validated, hashable value. No torch here.

Input: the dimensions of the paper (depth, width, scale, cardinality) and the variant. Output:
an `Architecture`, whose cost `res2net.cost` counts and which `res2net.build` builds.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from res2net.blocks import DEFAULT_BLOCK, block_token, check_block_name, plugin_token
from res2net.blocks.base import FirstBlock
from res2net.errors import ArchitectureError
from res2net.skeletons import (
    RESNET_BLOCKS,
    SKELETONS,
    Depth,
    Skeleton,
    blocks_of,
    is_count,
    skeleton_of,
)

Version = Literal["v1", "v1b"]
PerStage = int | tuple[int, ...]  # one number for all stages, or one per stage

_PER_STAGE = ("width", "scale", "cardinality")


@dataclass(frozen=True, slots=True, init=False)
class Architecture:
    """Describe one network of the Res2Net family.

    Width, scale and cardinality are either one number for all stages or a tuple with one per
    stage.

    Args:
        skeleton: how blocks are stacked: "cifar" (3 stages), "imagenet", "dla" (deep layer
            aggregation) or "biglittle" (two branches at two resolutions). All but "cifar" have
            4 stages.
        depth: number of layers, or a tuple with the number of blocks of each stage ("dla":
            levels of each tree). Defaults to the skeleton's published depth: 29, 50 or 60.
        planes: planes of the first stage, doubled from stage to stage; a block outputs 4 x
            planes channels ("dla": 2 x). 64 in the paper, 8 or 16 for networks a CPU can train.
        width: channels of one group of one split in the first stage; stage i (from 0) has width
            x 2**i, as with planes.
        scale: number of splits of a block (the paper's s); 1 gives ResNet or ResNeXt.
        cardinality: number of groups of each 3x3 convolution (the paper's c).
        se: whether to apply squeeze-and-excitation before the residual addition (paper, section
            3.2.2).
        version: "v1", or "v1b" with the deep stem and average-pooled shortcuts.
        first_block: what a block that changes stride or channels does with its last split:
            "pool" averages it (published ImageNet code), "all" convolves it too (needed to
            match Table 4's counts). Defaults to the skeleton's published choice.
        classes: outputs of the classifier; defaults to the number of classes of the skeleton's
            data set.
        channels: channels of the images: 3 for colour, 1 for grey, 4 or more for other sensors.
        block: the block that the stages are made of: a key of `res2net.blocks.BLOCKS`, or a
            user-defined `package.module:attribute` or `path/to/file.py:attribute`, which is
            imported when the network is counted or built. Two different texts for the same
            block make two different networks.

    Raises:
        ArchitectureError: a value is out of range; the message states the rule and the remedy.
    """

    skeleton: str
    depth: Depth
    planes: int
    width: PerStage
    scale: PerStage
    cardinality: PerStage
    se: bool
    version: Version
    first_block: FirstBlock
    classes: int
    channels: int
    block: str

    def __init__(  # noqa: PLR0913 - the dimensions of the family, all by keyword
        self,
        *,
        skeleton: str = "cifar",
        depth: Depth | None = None,
        planes: int = 64,
        width: PerStage = 64,
        scale: PerStage = 1,
        cardinality: PerStage = 1,
        se: bool = False,
        version: str = "v1",
        first_block: str | None = None,
        classes: int | None = None,
        channels: int = 3,
        block: str = DEFAULT_BLOCK,
    ) -> None:
        facts = skeleton_of(skeleton)
        depth, width, scale, cardinality = map(_as_tuple, (depth, width, scale, cardinality))
        blocks = blocks_of(skeleton, facts.depth if depth is None else depth)
        layers = facts.layers(blocks)
        values: dict[str, Any] = {
            "skeleton": skeleton,
            # One spelling per network: block counts that make up a known depth become that
            # depth.
            "depth": layers if facts.blocks(layers) == blocks else blocks,
            "planes": planes,
            "width": width,
            "scale": scale,
            "cardinality": cardinality,
            "se": se,
            "version": version,
            "first_block": facts.first_block if first_block is None else first_block,
            "classes": facts.classes if classes is None else classes,
            "channels": channels,
            "block": block,
        }
        _check(values, facts)
        for field in _PER_STAGE:
            values[field] = one_if_equal(values[field])
        for field, value in values.items():
            object.__setattr__(self, field, value)

    @property
    def facts(self) -> Skeleton:
        """Everything that the skeleton fixes."""
        return skeleton_of(self.skeleton)

    @property
    def blocks(self) -> tuple[int, ...]:
        """Blocks of each stage; for "dla" the levels of each stage's tree."""
        return blocks_of(self.skeleton, self.depth)

    @property
    def widths(self) -> tuple[int, ...]:
        """`width` of each stage, before doubling from stage to stage."""
        return self._each_stage(self.width)

    @property
    def scales(self) -> tuple[int, ...]:
        """`scale` of each stage."""
        return self._each_stage(self.scale)

    @property
    def cardinalities(self) -> tuple[int, ...]:
        """`cardinality` of each stage."""
        return self._each_stage(self.cardinality)

    @property
    def layers(self) -> int:
        """Convolutions on the longest plain path plus the classifier: 29, 50, 101."""
        return self.facts.layers(self.blocks)

    @property
    def image_size(self) -> int:
        """Image side in pixels for which the skeleton was published."""
        return self.facts.image_size

    @property
    def family(self) -> str:
        """The paper's name for the family: resnet, resnext, res2net or res2next."""
        two = "2" if max(self.scales) > 1 else ""
        return f"res{two}{'next' if max(self.cardinalities) > 1 else 'net'}"

    @property
    def name(self) -> str:
        """Canonical name, safe in file names.

        `res2net.parse` turns it back into an equal Architecture. A user-defined block must be
        passed to it as well, because the name contains only a digest of it.
        """
        dims = f"{written(self.cardinality)}c" if self.cardinality != 1 else ""
        dims += f"{written(self.width)}w"
        dims += f"{written(self.scale)}s" if self.scale != 1 else ""
        head = self.facts.name_form.format(family=self.family, depth=self._written_depth)
        return "_".join([head, dims, *self._variant_tokens()])

    def _each_stage(self, value: PerStage) -> tuple[int, ...]:
        return value if isinstance(value, tuple) else (value,) * len(self.facts.stages)

    @property
    def _written_depth(self) -> str:
        """The depth as names say it: its blocks where the family knows the number otherwise."""
        as_number = self.skeleton != "imagenet" or self.layers not in RESNET_BLOCKS
        return written(self.depth if as_number or max(self.scales) > 1 else self.blocks)

    @property
    def _own_skeleton(self) -> bool:
        return self.skeleton not in SKELETONS

    @property
    def _skeleton_token(self) -> str:
        return f"by-{plugin_token(self.skeleton)}" if self._own_skeleton else self.skeleton

    def _variant_tokens(self) -> list[str]:
        """List the tokens that the name needs because the rest of it does not imply them."""
        said = {
            "se": self.se,
            self.version: self.version != "v1",
            f"{self.planes}p": self.planes != 64,
            self.first_block: self.first_block != self.facts.first_block,
            f"{self.classes}classes": self.classes != self.facts.classes,
            f"{self.channels}channels": self.channels != 3,
            self._skeleton_token: self._own_skeleton
            or (not self.facts.named and self.skeleton != implied_skeleton(self.depth)),
            block_token(self.block): self.block != DEFAULT_BLOCK,
        }
        return [token for token, needed in said.items() if needed]


def implied_skeleton(depth: Depth) -> str:
    """Give the skeleton that a name with this depth means unless it says otherwise."""
    facts = SKELETONS["imagenet"]
    if isinstance(depth, tuple):
        return "imagenet" if len(depth) == len(facts.stages) else "cifar"
    return "imagenet" if facts.blocks(depth) else "cifar"


def _as_tuple(value: Any) -> Any:
    """A list of one number per stage as a tuple; anything else as it is."""
    return tuple(value) if isinstance(value, list) else value


def one_if_equal(value: PerStage) -> PerStage:
    """Normalise a value: equal numbers for all stages become one number."""
    alike = isinstance(value, tuple) and len(set(value)) == 1
    return value[0] if alike and isinstance(value, tuple) else value


def written(value: object) -> str:
    """Write a value as in names of networks; one number per stage becomes 1.2.4."""
    if not isinstance(value, tuple):
        return str(value)
    return ".".join(map(str, value)) + "." * (len(value) == 1)


def _check(values: Mapping[str, Any], facts: Skeleton) -> None:
    for field in _PER_STAGE:
        _check_per_stage(field, values[field], facts)
    for field in ("planes", "classes", "channels"):
        if not is_count(values[field]):
            raise ArchitectureError(
                field, f"{values[field]!r} is below 1 or not whole; write a number from 1 up"
            )
    if not isinstance(values["se"], bool):
        raise ArchitectureError("se", f"{values['se']!r} is not true or false")
    for field, choices in (
        ("version", get_args(Version)),
        ("first_block", get_args(FirstBlock)),
    ):
        if values[field] not in choices:
            known = " or ".join(map(repr, choices))
            raise ArchitectureError(field, f"{values[field]!r} is not known; write {known}")
    check_block_name(values["block"])
    _check_version(values, facts)


def _check_per_stage(field: str, value: object, facts: Skeleton) -> None:
    stages = len(facts.stages)
    if isinstance(value, tuple):
        if len(value) != stages or not all(map(is_count, value)):
            raise ArchitectureError(
                field,
                f"{list(value)} is not {stages} whole numbers from 1 up, one for each stage; "
                "write that many, or one number for all",
            )
    elif not is_count(value):
        raise ArchitectureError(
            field,
            f"{value!r} is below 1 or not whole; write a number from 1 up, or a tuple with one "
            "for each stage",
        )


def _check_version(values: Mapping[str, Any], facts: Skeleton) -> None:
    """Check that the skeleton has this version, and that its stem can divide the planes."""
    skeleton, planes, version = values["skeleton"], values["planes"], values["version"]
    if version not in facts.versions:
        having = [name for name, others in SKELETONS.items() if version in others.versions]
        known = " or ".join(map(repr, facts.versions))
        raise ArchitectureError(
            "version",
            f"{version!r} exists only with {', '.join(having)}; with {skeleton!r} write "
            f"{known}",
        )
    divisor = facts.versions[version]
    if planes % divisor:
        above = planes + divisor - planes % divisor
        raise ArchitectureError(
            "planes",
            f"{planes} is not a multiple of {divisor}, which the stem needs; write {above}",
        )
