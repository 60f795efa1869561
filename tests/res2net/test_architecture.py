"""What an Architecture accepts, and what it says when it does not."""

import dataclasses

import pytest

from res2net import Architecture, ArchitectureError


def test_one_network_has_one_spelling() -> None:
    by_depth = Architecture(depth=29, width=24, scale=4)
    by_blocks = Architecture(depth=(3, 3, 3), width=24, scale=4)
    assert by_depth == by_blocks
    assert hash(by_depth) == hash(by_blocks)
    assert by_blocks.depth == 29


def test_a_dimension_can_be_replaced() -> None:
    base = Architecture(depth=29, width=24)
    assert dataclasses.replace(base, depth=38).blocks == (4, 4, 4)


def test_it_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Architecture().width = 3  # type: ignore[misc]  # what is tested


def test_skeletons_bring_their_own_defaults() -> None:
    imagenet = Architecture(skeleton="imagenet", depth=50, width=26, scale=4)
    assert (imagenet.classes, imagenet.first_block, imagenet.image_size) == (1000, "pool", 224)
    assert (Architecture().classes, Architecture().first_block) == (100, "all")


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"scale": 0}, "scale: 0 is below 1"),
        ({"width": -3}, "width: -3 is below 1"),
        ({"cardinality": 2.5}, "cardinality: 2.5 is below 1 or not whole"),
        ({"planes": True}, "planes: True is below 1 or not whole"),
        ({"depth": 30}, r"no depth 30 .*nearest: 29 or 38"),
        ({"depth": 50, "skeleton": "imagenet", "planes": 0}, "planes: 0"),
        ({"depth": 60, "skeleton": "imagenet"}, "nearest: 50 or 101"),
        ({"depth": (1, 2)}, "one for each stage"),
        ({"depth": (1, 0, 2)}, "one for each stage"),
        ({"skeleton": "dla"}, "skeleton: 'dla' is not known; write one of: cifar, imagenet"),
        ({"version": "v2"}, "version: 'v2' is not known; write 'v1' or 'v1b'"),
        ({"version": "v1b"}, "write 'v1'"),
        ({"version": "v1b", "skeleton": "imagenet", "depth": 50, "planes": 7}, "even"),
        ({"first_block": "none"}, "first_block: 'none'"),
        ({"se": 1}, "se: 1 is not true or false"),
    ],
)
def test_a_bad_value_is_refused_with_its_remedy(fields: dict, problem: str) -> None:
    with pytest.raises(ArchitectureError, match=problem):
        Architecture(**fields)
