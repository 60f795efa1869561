"""Make the Big-Little skeleton in torch."""

from torch import Tensor, nn
from torch.nn import functional as F

from res2net.blocks.base import Block, Position, Shape
from res2net.skeletons.base import Layout, Stage
from res2net.skeletons.biglittle.branches import ALPHA, little_blocks, little_shape
from res2net.skeletons.conv_norm import conv_norm


def make_modules(layout: Layout) -> dict[str, nn.Module]:
    """Make the stem, three stages of two branches and one ordinary stage.

    Returns:
        Modules by their published names, in the order in which an image passes through them.
    """
    modules: dict[str, nn.Module] = {"stem": Stem(layout.channels, layout.planes)}
    channels = layout.planes
    for index, stage in enumerate(layout.stages):
        modules[stage.name] = (
            _make_branches(layout.block, stage, channels)
            if index < 3
            else _make_run(
                layout.block, stage.shape, stage.opening(channels), int(stage.blocks)
            )
        )
        channels = stage.out
    return modules


class Stem(nn.Module):
    """Apply a 7x7 of stride 2, then sum a strided 3x3 and a narrow branch of three layers."""

    def __init__(self, channels: int, planes: int) -> None:
        super().__init__()
        slim = planes // ALPHA
        self.conv1, self.bn1 = conv_norm(channels, planes, kernel=7, stride=2)
        self.act1 = nn.ReLU()
        self.b_conv0, self.bn_b0 = conv_norm(planes, planes, kernel=3, stride=2)
        self.l_conv0, self.bn_l0 = conv_norm(planes, slim, kernel=3)
        self.act_l0 = nn.ReLU()
        self.l_conv1, self.bn_l1 = conv_norm(slim, slim, kernel=3, stride=2)
        self.act_l1 = nn.ReLU()
        self.l_conv2, self.bn_l2 = conv_norm(slim, planes)
        self.act_merged = nn.ReLU()
        self.bl_init, self.bn_bl_init = conv_norm(planes, planes)
        self.act_bl_init = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, channels, H, W) to (N, planes, H / 4, W / 4)."""
        x = self.act1(self.bn1(self.conv1(x)))
        big = self.bn_b0(self.b_conv0(x))
        little = self.act_l0(self.bn_l0(self.l_conv0(x)))
        little = self.act_l1(self.bn_l1(self.l_conv1(little)))
        merged = self.act_merged(big + self.bn_l2(self.l_conv2(little)))
        out: Tensor = self.act_bl_init(self.bn_bl_init(self.bl_init(merged)))
        return out


class Branches(nn.Module):
    """Sum a big and a little branch at the full side and apply a block to the sum.

    Args:
        big: blocks at half the side; without a ReLU at the end.
        little: narrow blocks at the full side.
        widen: brings the little branch to the big branch's number of channels.
        fusion: block applied to the sum.
    """

    def __init__(
        self, *, big: nn.Module, little: nn.Module, widen: nn.Module, fusion: nn.Module
    ) -> None:
        super().__init__()
        self.big = big
        self.little = little
        self.little_e = widen
        self.act = nn.ReLU()
        self.fusion = fusion

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, channels, H, W) to (N, out, H / stride, W / stride)."""
        little = self.little_e(self.little(x))
        big = F.interpolate(self.big(x), size=little.shape[2:])  # nearest
        out: Tensor = self.fusion(self.act(big + little))
        return out


def _make_run(block: Block, shape: Shape, first: Position, blocks: int) -> nn.Sequential:
    """Make `blocks` blocks; only the last has the activation that `first` asks for."""
    shortcut = _shortcut(first.channels, first.out, first.stride)
    positions = [
        first._replace(activation=True),
        *[Position(first.out, first.out)] * (blocks - 1),
    ]
    positions[-1] = positions[-1]._replace(activation=first.activation)
    shortcuts = [shortcut, *[None] * (blocks - 1)]
    pairs = zip(positions, shortcuts, strict=True)
    return nn.Sequential(*(block.make_module(shape, *pair) for pair in pairs))


def _make_branches(block: Block, stage: Stage, channels: int) -> Branches:
    """Make a stage; its stride is that of the block applied to the sum of both branches."""
    out, slim = stage.out, stage.out // ALPHA
    blocks, shape = int(stage.blocks), stage.shape
    big = Position(channels, out, stride=2, activation=False)
    few = int(little_blocks(blocks))
    return Branches(
        big=_make_run(block, shape, big, blocks - 1),
        little=_make_run(block, little_shape(shape), Position(channels, slim), few),
        widen=nn.Sequential(*conv_norm(slim, out)),
        fusion=_make_run(block, shape, Position(out, out, stage.pace.stride), 1),
    )


def _shortcut(channels: int, out: int, stride: int) -> nn.Module | None:
    """Make a 3x3 average where the side changes and a 1x1 where the channels change."""
    pool = [] if stride == 1 else [nn.AvgPool2d(3, stride, padding=1)]
    project = [] if channels == out else conv_norm(channels, out)
    return nn.Sequential(*pool, *project) if pool or project else None
