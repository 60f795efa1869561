"""What a network is: an immutable, validated, hashable description. No torch here.

Goes in: the dimensions of the paper (depth, width, scale, cardinality) and the variant.
Comes out: an `Architecture`, which `res2net.cost` counts and `res2net.build` builds.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

SkeletonName = Literal["cifar", "imagenet"]
FirstBlock = Literal["pool", "all"]
Version = Literal["v1", "v1b"]
Depth = int | tuple[int, ...]

EXPANSION = 4  # block output channels over planes, fixed since ResNet-50
SE_REDUCTION = 16  # of the squeeze-and-excitation bottleneck; the paper leaves it unsaid

# Blocks per stage of the published depths: 50, 101 and 152 from ResNet, 200 from
# Res2Net-v1d-200; 14 and 26 are the usual small ones.
_IMAGENET_BLOCKS: Mapping[int, tuple[int, ...]] = {
    14: (1, 1, 1, 1),
    26: (2, 2, 2, 2),
    50: (3, 4, 6, 3),
    101: (3, 4, 23, 3),
    152: (3, 8, 36, 3),
    200: (3, 12, 48, 3),
}


class ArchitectureError(ValueError):
    """A description that names no network; the message says value, rule and remedy."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field
        self.problem = problem


class Skeleton(NamedTuple):
    """What a way of stacking blocks fixes, and the defaults it was published with."""

    stages: int
    classes: int
    image_size: int
    first_block: FirstBlock
    blocks: Callable[[int], tuple[int, ...] | None]
    depths_near: Callable[[int], tuple[int, ...]]


def _cifar_blocks(depth: int) -> tuple[int, ...] | None:
    per_stage, rest = divmod(depth - 2, 9)
    return (per_stage,) * 3 if rest == 0 and per_stage >= 1 else None


def _cifar_depths_near(depth: int) -> tuple[int, ...]:
    below = max(1, (depth - 2) // 9)
    return (9 * below + 2, 9 * below + 11)


def _imagenet_depths_near(depth: int) -> tuple[int, ...]:
    below = [known for known in _IMAGENET_BLOCKS if known < depth]
    above = [known for known in _IMAGENET_BLOCKS if known > depth]
    return (*below[-1:], *above[:1])


SKELETONS: Mapping[str, Skeleton] = {
    "cifar": Skeleton(3, 100, 32, "all", _cifar_blocks, _cifar_depths_near),
    "imagenet": Skeleton(4, 1000, 224, "pool", _IMAGENET_BLOCKS.get, _imagenet_depths_near),
}


def skeleton_of(name: str) -> Skeleton:
    """Look a skeleton up by name; raises ArchitectureError with the known ones."""
    if name not in SKELETONS:
        known = ", ".join(SKELETONS)
        raise ArchitectureError("skeleton", f"{name!r} is not known; write one of: {known}")
    return SKELETONS[name]


def blocks_of(skeleton: str, depth: Depth) -> tuple[int, ...]:
    """Blocks per stage of a depth.

    Args:
        skeleton: "cifar" (depth = 9n + 2) or "imagenet" (the published depths).
        depth: number of layers, or the blocks per stage themselves, one for each stage.

    Raises:
        ArchitectureError: the skeleton has no such depth; names the nearest that it has.
    """
    facts = skeleton_of(skeleton)
    if isinstance(depth, tuple):
        if len(depth) != facts.stages or any(not _is_count(n) for n in depth):
            rule = f"{facts.stages} positive whole numbers, one for each stage of {skeleton!r}"
            raise ArchitectureError("depth", f"{list(depth)} is not a list of {rule}")
        return depth
    blocks = facts.blocks(depth) if _is_count(depth) else None
    if blocks is None:
        near = " or ".join(map(str, facts.depths_near(depth if _is_count(depth) else 2)))
        rule = "9n + 2" if skeleton == "cifar" else "one of the published depths"
        raise ArchitectureError(
            "depth",
            f"skeleton {skeleton!r} has no depth {depth!r} (a depth is {rule}); "
            f"nearest: {near}, or give the blocks of each stage as a list",
        )
    return blocks


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


@dataclass(frozen=True, slots=True, init=False)
class Architecture:
    """One network of the Res2Net family.

    Args:
        skeleton: how blocks are stacked: "cifar" (3 stages) or "imagenet" (4 stages).
        depth: layers, or a tuple with the blocks of each stage.
        planes: planes of the first stage, doubling from stage to stage; a block puts out
            4 x planes channels. 64 in the paper, 8 or 16 for networks a CPU can train.
        width: channels of one group of one split in the first stage, doubling as planes do.
        scale: splits of a block (the paper's s); 1 is ResNet or ResNeXt.
        cardinality: groups of each 3x3 convolution (the paper's c).
        se: squeeze-and-excitation before the residual addition (paper, section 3.2.2).
        version: "v1", or "v1b" with the deep stem and average-pooled shortcuts.
        first_block: what the first block of a stage does with its last split: "pool" averages
            it (published ImageNet code), "all" convolves it too (needed for Table 4's counts).
            Defaults to what the skeleton was published with.
        classes: outputs of the classifier; defaults to the skeleton's data set.

    Raises:
        ArchitectureError: a value outside its range, with the rule and the remedy.
    """

    skeleton: SkeletonName
    depth: Depth
    planes: int
    width: int
    scale: int
    cardinality: int
    se: bool
    version: Version
    first_block: FirstBlock
    classes: int

    def __init__(  # noqa: PLR0913 - the dimensions of the family, all by keyword
        self,
        *,
        skeleton: str = "cifar",
        depth: Depth = 29,
        planes: int = 64,
        width: int = 64,
        scale: int = 1,
        cardinality: int = 1,
        se: bool = False,
        version: str = "v1",
        first_block: str | None = None,
        classes: int | None = None,
    ) -> None:
        facts = skeleton_of(skeleton)
        blocks = blocks_of(skeleton, depth)
        layers = 3 * sum(blocks) + 2
        values = {
            "skeleton": skeleton,
            # One spelling for one network: blocks that make a known depth become that depth.
            "depth": layers if facts.blocks(layers) == blocks else blocks,
            "planes": planes,
            "width": width,
            "scale": scale,
            "cardinality": cardinality,
            "se": se,
            "version": version,
            "first_block": facts.first_block if first_block is None else first_block,
            "classes": facts.classes if classes is None else classes,
        }
        _check(values)
        for field, value in values.items():
            object.__setattr__(self, field, value)

    @property
    def blocks(self) -> tuple[int, ...]:
        """Blocks of each stage."""
        return blocks_of(self.skeleton, self.depth)

    @property
    def layers(self) -> int:
        """Convolutions on the longest plain path plus the classifier: 29, 50, 101."""
        return 3 * sum(self.blocks) + 2

    @property
    def image_size(self) -> int:
        """Side of the images the skeleton was published for, in pixels."""
        return SKELETONS[self.skeleton].image_size

    @property
    def family(self) -> str:
        """The paper's name of the family: resnet, resnext, res2net or res2next."""
        return f"res{'2' if self.scale > 1 else ''}{'next' if self.cardinality > 1 else 'net'}"

    @property
    def name(self) -> str:
        """Canonical name; `res2net.parse` turns it back into an equal Architecture."""
        depth = self.depth if isinstance(self.depth, int) else ".".join(map(str, self.depth))
        dims = f"{self.cardinality}c" if self.cardinality > 1 else ""
        dims += f"{self.width}w" + (f"{self.scale}s" if self.scale > 1 else "")
        return "_".join([f"{self.family}{depth}", dims, *self._variant_tokens()])

    def _variant_tokens(self) -> list[str]:
        """What has to be said because it is not what the rest of the name implies."""
        facts = SKELETONS[self.skeleton]
        said = {
            "se": self.se,
            self.version: self.version != "v1",
            f"{self.planes}p": self.planes != 64,
            self.first_block: self.first_block != facts.first_block,
            f"{self.classes}classes": self.classes != facts.classes,
            self.skeleton: self.skeleton != implied_skeleton(self.depth),
        }
        return [token for token, needed in said.items() if needed]


def implied_skeleton(depth: Depth) -> str:
    """The skeleton that a name with this depth means unless it says otherwise."""
    if isinstance(depth, tuple):
        return "imagenet" if len(depth) == SKELETONS["imagenet"].stages else "cifar"
    return "imagenet" if depth in _IMAGENET_BLOCKS else "cifar"


def _check(values: Mapping[str, object]) -> None:
    for field in ("planes", "width", "scale", "cardinality", "classes"):
        if not _is_count(values[field]):
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
    _check_v1b(values)


def _check_v1b(values: Mapping[str, object]) -> None:
    if values["version"] == "v1":
        return
    if values["skeleton"] != "imagenet":
        raise ArchitectureError(
            "version", "'v1b' changes the ImageNet stem; with skeleton 'cifar' write 'v1'"
        )
    planes = values["planes"]
    assert isinstance(planes, int), "checked as a count before"
    if planes % 2:
        raise ArchitectureError(
            "planes",
            f"{planes} is odd, but the v1b stem starts at half of it; write an even one",
        )
