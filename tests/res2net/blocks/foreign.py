"""A block as somebody else would write it, in a file of its own."""

from pathlib import Path

# One 1x1 without a hierarchy, its own layer with a parameter, and an honest count.
HONEST = '''
"""Squeeze to width x scale, widen again, scale by one number."""

from torch import nn
import torch

from res2net.tally import strided


class Gain(nn.Module):
    def __init__(self):
        super().__init__()
        self.gain = nn.Parameter(torch.empty(1))

    def reset_parameters(self):
        nn.init.normal_(self.gain)

    def forward(self, x):
        return x * self.gain


class Mine(nn.Module):
    def __init__(self, shape, position, shortcut):
        super().__init__()
        inner = shape.split * shape.scale
        self.squeeze = nn.Conv2d(position.channels, inner, 1, position.stride, bias=False)
        self.widen = nn.Conv2d(inner, position.out, 1)
        self.gain = Gain()
        self.shortcut = nn.Identity() if shortcut is None else shortcut

    def forward(self, x, shortcut=None):
        out = self.gain(self.widen(torch.relu(self.squeeze(x))))
        return out + (self.shortcut(x) if shortcut is None else shortcut)


class MyBlock:
    def make_module(self, shape, position, shortcut):
        return Mine(shape, position, shortcut)

    def count_layers(self, tally, shape, position, *, size, times=1):
        inner, after = shape.split * shape.scale, strided(size, position.stride)
        tally.conv(position.channels, inner, size=after, times=times)
        tally.conv(inner, position.out, size=after, times=times)
        tally.bias(position.out + 1, times=times)

    def count_paths(self, shape, position):
        return {1: 1}


BLOCK = MyBlock()
'''


def written(folder: Path, *changes: tuple[str, str], file: str = "mine.py") -> str:
    """Write the file, changed in places, and give the block's text."""
    text = HONEST
    for before, after in changes:
        assert before in text, before
        text = text.replace(before, after)
    (folder / file).write_text(text, encoding="utf-8")
    return f"{folder / file}:BLOCK"
