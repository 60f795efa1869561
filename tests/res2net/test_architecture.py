"""What an Architecture accepts, and what it says when it does not."""

import dataclasses

import pytest

from res2net import Architecture, ArchitectureError
from res2net.skeletons import SKELETONS


def test_one_network_has_one_spelling() -> None:
    by_depth = Architecture(depth=29, width=24, scale=4)
    by_blocks = Architecture(depth=(3, 3, 3), width=24, scale=4)
    assert by_depth == by_blocks
    assert hash(by_depth) == hash(by_blocks)
    assert by_blocks.depth == 29


def test_stages_that_are_alike_are_one_number() -> None:
    assert Architecture(scale=(4, 4, 4)) == Architecture(scale=4)
    mixed = Architecture(width=(8, 8, 9), scale=(1, 2, 4), cardinality=3)
    assert (mixed.widths, mixed.scales) == ((8, 8, 9), (1, 2, 4))
    assert mixed.cardinalities == (3, 3, 3)
    assert mixed.family == "res2next"


def test_each_skeleton_has_its_published_depth() -> None:
    depths = {name: Architecture(skeleton=name).depth for name in SKELETONS}
    assert depths == {"cifar": 29, "imagenet": 50, "dla": 60, "biglittle": 50}
    assert Architecture(skeleton="dla", depth=(1, 2, 3, 1)).depth == 60


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
        (
            {"skeleton": "vgg"},
            "'vgg' is not known; write one of: cifar, imagenet, dla, biglittle",
        ),
        ({"skeleton": "dla", "depth": 50}, "no depth 50 .* nearest: 46 or 60"),
        (
            {"skeleton": "dla", "depth": (1, 2, 9, 1)},
            r"\[1, 2, 9, 1\] is not what .* from 1 to 8",
        ),
        ({"skeleton": "dla", "planes": 6}, "planes: 6 is not a multiple of 4, .* write 8"),
        ({"skeleton": "biglittle", "depth": (1, 2, 2, 2)}, "the first three from 2 up"),
        ({"skeleton": "biglittle", "planes": 7}, "not a multiple of 2, .* write 8"),
        ({"scale": (1, 2)}, r"scale: \[1, 2\] is not 3 whole numbers"),
        ({"width": (1, 2, 0)}, r"width: \[1, 2, 0\] is not 3 whole"),
        ({"cardinality": (1, 2, 3, 4)}, r"cardinality: \[1, 2, 3, 4\] is not 3 whole"),
        ({"scale": (4, 4)}, r"scale: \[4, 4\] is not 3 whole"),
        ({"scale": ([1], [2], [4])}, "is not 3 whole"),
        ({"scale": [1, 2]}, r"\[1, 2\] is not 3 whole numbers from 1 up, one for each stage"),
        ({"skeleton": ["cifar"]}, r"\['cifar'\] is not known"),
        ({"version": "v2"}, "version: 'v2' is not known; write 'v1' or 'v1b'"),
        ({"version": "v1b"}, "write 'v1'"),
        ({"version": "v1b", "skeleton": "imagenet", "depth": 50, "planes": 7}, "write 8"),
        ({"first_block": "none"}, "first_block: 'none'"),
        ({"se": 1}, "se: 1 is not true or false"),
    ],
)
def test_a_bad_value_is_refused_with_its_remedy(fields: dict, problem: str) -> None:
    with pytest.raises(ArchitectureError, match=problem):
        Architecture(**fields)
