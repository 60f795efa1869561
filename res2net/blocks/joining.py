"""Join the layers of a block that run side by side into one, and separate them again.

In a block without sums between its splits, the convolutions equal one grouped convolution and
their norms one norm: the same numbers from a third of the calls. Networks are built with
separate layers, as published; before training, you may join a copy where measurements show that
it pays.

A block names these layers in `joinable`, a tuple of the names of `nn.ModuleList`s with one
layer for each of its `splits`. Its `forward` cuts its input into as many slices as the lists
have layers.
"""

import copy
from collections.abc import Mapping, Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn

_NOT_ORDINARY = (
    "_forward_hooks",
    "_forward_pre_hooks",
    "_backward_hooks",
    "_backward_pre_hooks",
)


def joined(module: nn.Module, *, inplace: bool = False) -> nn.Module:
    """Join the layers that run side by side in every block of a network.

    Args:
        module: a network made by `res2net.build`, or a module that contains one.
        inplace: change the module itself, which is faster than changing a copy.

    Returns:
        A module that computes the same, up to rounding. Its joined layers hold tensors of other
        shapes; `separated` restores the network. Layers changed by hooks, pruning,
        parametrisations or conversions stay separate.
    """
    network = module if inplace else _copied(module)
    for block, lists in _joinable_layers(network):
        layers = {name: _join(members) for name, members in lists.items() if len(members) > 1}
        if len(layers) == len(lists) and None not in layers.values():
            for name, layer in layers.items():
                setattr(block, name, nn.ModuleList([cast("nn.Module", layer)]))
    return network


def separated(module: nn.Module) -> nn.Module:
    """Copy a network made by `joined`, with separate layers as originally built.

    Args:
        module: a network, joined or not, possibly trained since.

    Returns:
        A module whose tensors have the same names and shapes as those of the network as built.
    """
    network = _copied(module)
    for block, lists in _joinable_layers(network):
        splits = cast("int", block.splits)
        for name, members in lists.items():
            if len(members) < splits:
                setattr(block, name, nn.ModuleList(_separate(members[0], splits)))
    return network


def _copied(module: nn.Module) -> nn.Module:
    """Copy a network, even a pruned one, whose masked weights torch cannot copy.

    Such a weight is not a parameter: it is recomputed from one at every call.
    """
    made: dict[int, Any] = {
        id(value): value.detach().clone()
        for part in module.modules()
        for value in vars(part).values()
        if isinstance(value, Tensor) and not value.is_leaf
    }
    return copy.deepcopy(module, made)


def _joinable_layers(
    network: nn.Module,
) -> list[tuple[nn.Module, Mapping[str, Sequence[nn.Module]]]]:
    """List the blocks with layers side by side, each with these layers by list name."""
    found: list[tuple[nn.Module, Mapping[str, Sequence[nn.Module]]]] = []
    for block in network.modules():
        names = getattr(block, "joinable", None)
        if isinstance(names, tuple) and names:  # not an unrelated attribute of that name
            lists = {name: getattr(block, name, None) for name in names}
            if all(isinstance(each, nn.ModuleList) for each in lists.values()):
                members = {name: list(cast("Any", each)) for name, each in lists.items()}
                found.append((block, members))
    return found


def _join(layers: Sequence[nn.Module]) -> nn.Module | None:
    """Join several layers into one; None where any is not a plain torch layer."""
    first = layers[0]
    if type(first) is nn.Sequential:
        steps = [_join(step) for step in zip(*layers, strict=True)]
        whole = [step for step in steps if step is not None]
        return nn.Sequential(*whole) if len(whole) == len(steps) else None
    if any(not _ordinary(layer) or _settings(layer) != _settings(first) for layer in layers):
        return None
    tensors = {
        name: torch.cat([state[name] for state in map(_tensors, layers)])
        for name in _tensors(first)
    }
    return _resized(first, tensors, len(layers), 1)


def _separate(layer: nn.Module, splits: int) -> list[nn.Module]:
    """Split one layer into several."""
    if isinstance(layer, nn.Sequential):
        steps = zip(*(_separate(step, splits) for step in layer), strict=True)
        return [nn.Sequential(*step) for step in steps]
    chunks = {name: tensor.chunk(splits) for name, tensor in _tensors(layer).items()}
    return [
        _resized(layer, {name: parts[split] for name, parts in chunks.items()}, 1, splits)
        for split in range(splits)
    ]


def _ordinary(layer: nn.Module) -> bool:
    """Tell whether a layer is one of torch's own and has no hooks."""
    kinds = (nn.Conv2d, nn.BatchNorm2d, nn.ReLU)
    return type(layer) in kinds and not any(getattr(layer, name) for name in _NOT_ORDINARY)


def _settings(layer: nn.Module) -> object:
    """Describe a layer except its tensors' values; layers with equal settings can be joined."""
    own = {name: value for name, value in vars(layer).items() if not name.startswith("_")}
    tensors = {
        name: (t.shape, t.dtype, t.device, t.requires_grad)
        for name, t in layer.state_dict(keep_vars=True).items()
    }
    counters = [int(t) for t in layer.state_dict().values() if not (t.ndim or t.is_meta)]
    return type(layer), own, tensors, counters


def _tensors(layer: nn.Module) -> dict[str, Tensor]:
    """List the tensors that a layer stores per channel."""
    return {name: tensor for name, tensor in layer.state_dict().items() if tensor.ndim}


def _resized(
    layer: nn.Module, tensors: Mapping[str, Tensor], times: int, over: int
) -> nn.Module:
    """Copy a layer with `times / over` as many channels, filled with copies of `tensors`."""
    resized = copy.deepcopy(layer)
    for name in ("in_channels", "out_channels", "groups", "num_features"):
        if hasattr(layer, name):
            setattr(resized, name, getattr(layer, name) * times // over)
    for name, tensor in tensors.items():
        own = getattr(resized, name)
        own.data = tensor.clone()
        own.grad = None
    return resized
