"""A block's counts against what it makes: ours are right, and a wrong one is found out."""

from dataclasses import replace
from pathlib import Path

import pytest

from res2net import Architecture, ArchitectureError
from res2net.blocks import BLOCKS
from res2net.blocks.checking import check_block
from tests.res2net.blocks.foreign import written

pytestmark = pytest.mark.usefixtures("one_thread")

# Small, and of every dimension between them.
MIXED = [
    Architecture(
        skeleton="cifar", depth=(2, 1, 1), planes=4, width=3, scale=(3, 1, 2), cardinality=2,
        se=True, classes=2,
    ),
    Architecture(
        skeleton="imagenet", depth=(1, 1, 1, 1), planes=4, width=2, scale=3,
        first_block="pool", classes=2,
    ),
]  # fmt: skip
SMALL = [Architecture(depth=(1, 2, 1), planes=4, width=3, scale=3, classes=2)]


@pytest.mark.parametrize("block", BLOCKS)
def test_ours_are_as_counted(block: str) -> None:
    check_block(block, [replace(network, block=block) for network in MIXED])


# Torch counts ours in every skeleton in tests/res2net/test_cost.py too, and a block from
# outside is checked in every skeleton in tests/docs/test_adding_a_part.py.
@pytest.mark.slow
@pytest.mark.parametrize("block", BLOCKS)
def test_ours_are_as_counted_in_every_skeleton(block: str) -> None:
    check_block(block)


def test_an_honest_one_passes(tmp_path: Path) -> None:
    check_block(written(tmp_path), SMALL)


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        # The first block of layer1: 4 -> 9 -> 16 channels, a bias and a gain: 36 + 144 + 17.
        (
            "position.out + 1,",
            "position.out,",
            r"mine.py:BLOCK: layer1.0 of res2net1.2.1_.* has params 196 counted and 197 built",
        ),
        # Of stride 2 and 37 x 29 pixels: (16 x 18 + 18 x 32) x 19 x 15 built, 18 x 14 counted.
        (
            "strided(size, position.stride)",
            "type(size)(*(side // position.stride for side in size))",
            r"layer2.0 of .* has macs 217,728 counted and 246,240 built",
        ),
        ("size=after, times=times)\n        tally.bias", "size=after)\n        tally.bias",
         r"an array for layer1.0 .*, of width 3 and 0 times, has params 144 counted and 0 one"),
        ("inner, after = shape", "assert shape.scale > 1\n        inner, after = shape",
         "count_layers raises ValueError: The truth value of an array .* is ambiguous"),
        ("return {1: 1}", "return {1: 0.5}", r"count_paths returns {1: 0.5}; return a dict"),
        ("return {1: 1}", "return shape[9]", r"count_paths raises IndexError: .*out of range"),
        ("return Mine(shape", "return Mine(shape.deep", "make_module raises AttributeError"),
        ("return Mine(shape, position, shortcut)", "return 3",
         "make_module returns a int, not a torch mod"),
        ("forward(self, x, shortcut=None)", "forward(self, x)\n        shortcut = None",
         "cannot be imported .SyntaxError"),
        ("return out + (self.shortcut(x) if shortcut is None else shortcut)",
         "return out[..., 1:]", r"layer1.0 of .* puts out \(1, 16, 37, 28\) for an input"),
        ("position.stride, bias", "1, bias", r"layer2.0 of .*: its forward\(x, shortcut\) r"),
        ("reset_parameters", "set_parameters", "its Gain holds tensors but has no reset_param"),
        ("normal_(self.gain)", "constant_(self.gain, float('inf'))", "are not finite"),
        ("normal_(self.gain)", "constant_(self.gain, float('nan'))", "leaves its tensor"),
        ("def count_paths", "def paths", r"lacks count_paths; name an object that has make_mo"),
        ("BLOCK = MyBlock()", "BLOCK = MyBlock", r"BLOCK' is a class; name an object"),
    ],
)  # fmt: skip
def test_a_wrong_one_is_refused(before: str, after: str, message: str, tmp_path: Path) -> None:
    block = written(tmp_path, (before, after))
    with pytest.raises(ArchitectureError, match=message):
        check_block(block, SMALL)
