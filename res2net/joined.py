"""Layers side by side computed as one, stored and loaded as the separate ones they are.

The 3x3 convolutions of a block without sums between its splits are one convolution of more
groups, and their norms one norm: the same numbers from a third of the calls. A state dict
names them one by one, as the published weights do, each a view of the joined tensor; one with
`keep_vars=True`, which promises the parameters themselves, holds the joined ones. Both load.

What goes by the names of parameters sees the joined ones: `named_parameters`, and with it
`torch.func.functional_call` and sharded checkpoints. Where something put its own tensors into
a joined layer (pruning, a parametrisation), it is stored as any module with such a thing is.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn

State = dict[str, Any]


class Joined(nn.Module):
    """Stores its members part by part, and takes them so; comes before the layer it is of."""

    _MEMBERS: tuple[str, ...]
    parts: int

    def _save_to_state_dict(self, destination: State, prefix: str, keep_vars: bool) -> None:
        if keep_vars or not _as_built(self, self._MEMBERS):
            super()._save_to_state_dict(destination, prefix, keep_vars)
            return
        _save(self, self._MEMBERS, destination, prefix)

    def _load_from_state_dict(self, state_dict: State, prefix: str, *rest: Any) -> None:
        _join(self, self._MEMBERS, state_dict, prefix, *rest)
        super()._load_from_state_dict(state_dict, prefix, *rest)
        _tidy(self._MEMBERS, state_dict, prefix, missing=rest[2])


class JoinedConv2d(Joined, nn.Conv2d):
    """`parts` convolutions over as many slices of the channels; keys `{part}.weight`.

    Args:
        width: channels in and out of one part.
        parts: how many.
        groups: of one part.
        stride: of each.
        dilation: of each 3x3; the padding keeps the side.
    """

    _MEMBERS = ("weight",)

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


class JoinedBatchNorm2d(Joined, nn.BatchNorm2d):
    """`parts` norms over as many slices of the channels; keys `{part}.weight` and so on.

    Args:
        width: channels of one part.
        parts: how many.
    """

    _MEMBERS = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")

    def __init__(self, width: int, *, parts: int) -> None:
        super().__init__(width * parts)
        self.parts = parts

    def _check_input_dim(self, input: Tensor) -> None:
        """Nothing: what comes in is a convolution's; a question here would stop torch.fx."""


def _as_built(module: Joined, members: Sequence[str]) -> bool:
    """Whether the module holds its own tensors and no others."""
    return {*module._parameters, *module._buffers} - {"bias"} == {*members} - {"bias"}


def _save(module: Joined, members: Sequence[str], destination: State, prefix: str) -> None:
    for part in range(module.parts):
        for name in members:
            tensor = getattr(module, name)
            if tensor is None:  # a norm that keeps no statistics
                continue
            kept: Tensor = tensor.detach()
            # The counter of batches is one for all parts; each key gets its own number.
            slice_ = kept.chunk(module.parts)[part] if kept.ndim else kept.clone()
            destination[f"{prefix}{part}.{name}"] = slice_


def _join(  # noqa: PLR0913, PLR0917 - torch's signature
    module: Joined,
    members: Sequence[str],
    state: State,
    prefix: str,
    metadata: State,
    strict: bool,  # noqa: ARG001
    missing: list[str],
    unexpected: list[str],  # noqa: ARG001
    errors: list[str],
) -> None:
    """Replace the separate tensors of a state dict by the joined ones, where all are there."""
    if not _as_built(module, members):
        return
    for name in members:
        own = getattr(module, name)
        if prefix + name in state or own is None:
            continue
        keys = [f"{prefix}{part}.{name}" for part in range(module.parts)]
        given = {key: state.pop(key) for key in keys if key in state}
        old = name == "num_batches_tracked" and (metadata.get("version") or 0) < 2
        if not (old and not given):  # torch before 0.4.1 counted none, and adds the counter
            missing += [key for key in keys if key not in given]
        misfits = list(_misfits(module, own, given))
        errors += misfits
        if len(given) == module.parts and not misfits:
            tensors = list(given.values())
            state[prefix + name] = torch.cat(tensors) if own.ndim else tensors[0]


def _misfits(module: Joined, own: Tensor, given: State) -> Iterator[str]:
    """A message for each tensor that is no part of `own`."""
    expected = (own.shape[0] // module.parts, *own.shape[1:]) if own.ndim else ()
    for key, tensor in given.items():
        if tensor.shape != expected:
            shapes = f"{tuple(tensor.shape)}, which should be {tuple(expected)}"
            yield f"size mismatch for {key}: the checkpoint has {shapes}"


def _tidy(members: Sequence[str], state: State, prefix: str, *, missing: list[str]) -> None:
    """What is missing was reported under its own key; the joined key is no one's business."""
    for name in members:
        state.pop(prefix + name, None)
        if prefix + name in missing:
            missing.remove(prefix + name)
