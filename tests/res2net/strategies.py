"""Random members of the family, for property tests."""

from hypothesis import strategies as st

from res2net import Architecture


@st.composite
def architectures(draw: st.DrawFn, *, largest: int = 12) -> Architecture:
    """Any network of the family, every dimension and variant, small enough to run."""
    skeleton = draw(st.sampled_from(["cifar", "imagenet"]))
    stages = 3 if skeleton == "cifar" else 4
    blocks = st.tuples(*[st.integers(1, 3)] * stages)
    return Architecture(
        skeleton=skeleton,
        depth=draw(blocks),
        planes=2 * draw(st.integers(1, 10)),
        width=draw(st.integers(1, largest)),
        scale=draw(st.integers(1, 6)),
        cardinality=draw(st.integers(1, 5)),
        se=draw(st.booleans()),
        version=draw(st.sampled_from(["v1", "v1b"] if skeleton == "imagenet" else ["v1"])),
        first_block=draw(st.sampled_from(["pool", "all"])),
        classes=draw(st.integers(1, 20)),
    )
