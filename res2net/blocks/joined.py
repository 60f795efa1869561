"""Compute parallel layers as one, and store and load them as separate layers.

The convolutions of a block without sums between its splits are one grouped convolution, and
their norms one norm: the same numbers from a third of the calls. A state dict names the layers
one by one, as the published weights do, each a view of the joined tensor; a state dict with
`keep_vars=True`, which promises the parameters themselves, holds the joined ones. Both load.

`named_parameters`, and with it `torch.func.functional_call` and sharded checkpoints, sees the
joined parameters. A joined layer into which something put tensors of its own (pruning, a
parametrisation) is stored as torch stores any module with such tensors.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn

State = dict[str, Any]


class Joined(nn.Module):
    """Save and load the tensors of a joined layer one split at a time.

    In the list of base classes it precedes the torch layer, whose two methods it extends.
    """

    _MEMBERS: tuple[str, ...]
    splits: int

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
    """Convolve `splits` slices of the channels, each by itself; keys are `{split}.weight`.

    Args:
        width: channels in and out of one split.
        splits: number of convolutions.
        groups: of one split.
        kernel: side of each, an odd number; the padding keeps the side of the image.
        stride: of each.
        dilation: of each.
    """

    _MEMBERS = ("weight",)

    def __init__(
        self,
        width: int,
        *,
        splits: int,
        groups: int = 1,
        kernel: int = 3,
        stride: int = 1,
        dilation: int = 1,
    ) -> None:
        every = width * splits
        super().__init__(
            every,
            every,
            kernel,
            stride,
            padding=kernel // 2 * dilation,
            dilation=dilation,
            groups=groups * splits,
            bias=False,
        )
        self.splits = splits


class JoinedBatchNorm2d(Joined, nn.BatchNorm2d):
    """Normalise `splits` slices of the channels; keys are `{split}.weight` and so on.

    Args:
        width: channels of one split.
        splits: number of norms.
    """

    _MEMBERS = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")

    def __init__(self, width: int, *, splits: int) -> None:
        super().__init__(width * splits)
        self.splits = splits

    def _check_input_dim(self, input: Tensor) -> None:
        """Check nothing: the input is a convolution's; torch.fx cannot trace a check."""


def _as_built(module: Joined, members: Sequence[str]) -> bool:
    """Tell whether the module holds the tensors it was built with, and no others."""
    return {*module._parameters, *module._buffers} - {"bias"} == {*members} - {"bias"}


def _save(module: Joined, members: Sequence[str], destination: State, prefix: str) -> None:
    for split in range(module.splits):
        for name in members:
            tensor = getattr(module, name)
            if tensor is None:  # a norm that keeps no statistics
                continue
            kept: Tensor = tensor.detach()
            # The counter of batches is one for all splits; each key gets its own number.
            slice_ = kept.chunk(module.splits)[split] if kept.ndim else kept.clone()
            destination[f"{prefix}{split}.{name}"] = slice_


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
        keys = [f"{prefix}{split}.{name}" for split in range(module.splits)]
        given = {key: state.pop(key) for key in keys if key in state}
        old = name == "num_batches_tracked" and (metadata.get("version") or 0) < 2
        if not (old and not given):  # torch before 0.4.1 counted none, and adds the counter
            missing += [key for key in keys if key not in given]
        misfits = list(_misfits(module, own, given))
        errors += misfits
        if len(given) == module.splits and not misfits:
            tensors = list(given.values())
            state[prefix + name] = torch.cat(tensors) if own.ndim else tensors[0]


def _misfits(module: Joined, own: Tensor, given: State) -> Iterator[str]:
    """Describe each tensor that does not have the shape of a split of `own`."""
    expected = (own.shape[0] // module.splits, *own.shape[1:]) if own.ndim else ()
    for key, tensor in given.items():
        if tensor.shape != expected:
            shapes = f"{tuple(tensor.shape)}, which should be {tuple(expected)}"
            yield f"size mismatch for {key}: the checkpoint has {shapes}"


def _tidy(members: Sequence[str], state: State, prefix: str, *, missing: list[str]) -> None:
    """Remove the joined keys: what is missing was reported under the keys of the splits."""
    for name in members:
        state.pop(prefix + name, None)
        if prefix + name in missing:
            missing.remove(prefix + name)
