"""Random members of the family, for property tests."""

from collections.abc import Sequence

from hypothesis import strategies as st

from res2net import Architecture
from res2net.blocks import BLOCKS
from res2net.skeletons import SKELETONS


@st.composite
def architectures(
    draw: st.DrawFn,
    *,
    largest: int = 12,
    planes: int = 10,
    skeletons: Sequence[str] = tuple(SKELETONS),
    blocks: Sequence[str] = tuple(BLOCKS),
) -> Architecture:
    """Any network of the family, every dimension and variant, small enough to run."""
    skeleton = draw(st.sampled_from(skeletons))
    stages = len(SKELETONS[skeleton].stages)
    fewest = 2 if skeleton == "biglittle" else 1
    # A tree of two levels holds every kind of tree; three are only more of the same.
    most = 2 if skeleton == "dla" else 3
    depths = st.tuples(*[st.integers(fewest, most)] * stages)
    if skeleton == "biglittle":  # of 12 blocks up, the little branch has two
        depths |= st.just((2, 12, 2, 1))

    def per_stage(most: int) -> st.SearchStrategy[int | tuple[int, ...]]:
        one = st.integers(1, most)
        return one | st.tuples(*[one] * stages)

    return Architecture(
        skeleton=skeleton,
        depth=draw(depths),
        planes=max(SKELETONS[skeleton].versions.values()) * draw(st.integers(1, planes)),
        width=draw(per_stage(largest)),
        scale=draw(per_stage(6)),
        cardinality=draw(per_stage(5)),
        se=draw(st.booleans()),
        version=draw(st.sampled_from(list(SKELETONS[skeleton].versions))),
        first_block=draw(st.sampled_from(["pool", "all"])),
        classes=draw(st.integers(1, 20)),
        channels=draw(st.integers(1, 5)),
        block=draw(st.sampled_from(blocks)),
    )
