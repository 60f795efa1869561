"""Random members of the family, for property tests."""

from hypothesis import strategies as st

from res2net import Architecture
from res2net.skeletons import SKELETONS


@st.composite
def architectures(
    draw: st.DrawFn, *, largest: int = 12, skeletons: tuple[str, ...] = tuple(SKELETONS)
) -> Architecture:
    """Any network of the family, every dimension and variant, small enough to run."""
    skeleton = draw(st.sampled_from(skeletons))
    stages = len(SKELETONS[skeleton].stages)
    fewest = 2 if skeleton == "biglittle" else 1
    blocks = st.tuples(*[st.integers(fewest, 3)] * stages)
    if skeleton == "biglittle":  # of 12 blocks up, the little branch has two
        blocks |= st.just((2, 13, 2, 1))
    planes = {"dla": 4}.get(skeleton, 2) * draw(st.integers(1, 10))

    def per_stage(most: int) -> st.SearchStrategy[int | tuple[int, ...]]:
        one = st.integers(1, most)
        return one | st.tuples(*[one] * stages)

    return Architecture(
        skeleton=skeleton,
        depth=draw(blocks),
        planes=planes,
        width=draw(per_stage(largest)),
        scale=draw(per_stage(6)),
        cardinality=draw(per_stage(5)),
        se=draw(st.booleans()),
        version=draw(st.sampled_from(["v1", "v1b"] if skeleton == "imagenet" else ["v1"])),
        first_block=draw(st.sampled_from(["pool", "all"])),
        classes=draw(st.integers(1, 20)),
    )
