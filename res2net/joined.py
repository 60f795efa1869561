"""Layers side by side computed as one, stored and loaded as the separate ones they are.

The 3x3 convolutions of a block without sums between its splits are one convolution of more
groups, and their norms one norm: the same numbers from a third of the calls. A state dict
names them one by one, as the published weights do; one with `keep_vars=True`, which promises
the parameters themselves, holds the joined ones. Both load.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

State = dict[str, Any]


class JoinedConv2d(nn.Conv2d):
    """`parts` convolutions over as many slices of the channels; keys `{part}.weight`.

    Args:
        width: channels in and out of one part.
        parts: how many.
        groups: of one part.
        stride: of each.
        dilation: of each 3x3; the padding keeps the side.
    """

    def __init__(
        self, width: int, *, parts: int, groups: int = 1, stride: int = 1, dilation: int = 1
    ) -> None:
        every = width * parts
        super().__init__(
            every,
            every,
            3,
            stride,
            padding=dilation,
            dilation=dilation,
            groups=groups * parts,
            bias=False,
        )
        self.parts = parts

    def _save_to_state_dict(self, destination: State, prefix: str, keep_vars: bool) -> None:
        _save(self, ("weight",), destination, prefix, keep_vars)

    def _load_from_state_dict(self, state_dict: State, prefix: str, *rest: Any) -> None:
        _join(self, ("weight",), state_dict, prefix, missing=rest[2])
        super()._load_from_state_dict(state_dict, prefix, *rest)
        _tidy(("weight",), state_dict, prefix, missing=rest[2])


class JoinedBatchNorm2d(nn.BatchNorm2d):
    """`parts` norms over as many slices of the channels; keys `{part}.weight` and so on.

    Args:
        width: channels of one part.
        parts: how many.
    """

    _MEMBERS = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")

    def __init__(self, width: int, *, parts: int) -> None:
        super().__init__(width * parts)
        self.parts = parts

    def _save_to_state_dict(self, destination: State, prefix: str, keep_vars: bool) -> None:
        _save(self, self._MEMBERS, destination, prefix, keep_vars)

    def _load_from_state_dict(self, state_dict: State, prefix: str, *rest: Any) -> None:
        _join(self, self._MEMBERS, state_dict, prefix, missing=rest[2])
        super()._load_from_state_dict(state_dict, prefix, *rest)
        _tidy(self._MEMBERS, state_dict, prefix, missing=rest[2])


Joined = JoinedConv2d | JoinedBatchNorm2d


def _save(
    module: Joined, members: Sequence[str], destination: State, prefix: str, keep_vars: bool
) -> None:
    tensors: dict[str, Tensor] = {name: getattr(module, name) for name in members}
    if keep_vars:
        destination.update({prefix + name: tensor for name, tensor in tensors.items()})
        return
    for part in range(module.parts):
        for name, tensor in tensors.items():
            kept = tensor.detach()
            # The counter of batches is one for all parts; each key gets its own number.
            slice_ = kept.chunk(module.parts)[part] if kept.ndim else kept.clone()
            destination[f"{prefix}{part}.{name}"] = slice_


def _join(
    module: Joined, members: Sequence[str], state: State, prefix: str, *, missing: list[str]
) -> None:
    """Replace the separate tensors of a state dict by the joined ones, where all are there."""
    for name in members:
        if prefix + name in state:
            continue
        keys = [f"{prefix}{part}.{name}" for part in range(module.parts)]
        missing += [key for key in keys if key not in state]
        tensors = [state.pop(key) for key in keys if key in state]
        if len(tensors) == module.parts:
            state[prefix + name] = torch.cat(tensors) if tensors[0].ndim else tensors[0]


def _tidy(members: Sequence[str], state: State, prefix: str, *, missing: list[str]) -> None:
    """What is missing was reported under its own key; the joined key is no one's business."""
    for name in members:
        state.pop(prefix + name, None)
        if prefix + name in missing:
            missing.remove(prefix + name)
