"""Compare the weights in a checkpoint with a network, tensor by tensor."""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from res2net.errors import WeightsError
from res2net.weights.checkpoints import HOW_TO_SAVE
from res2net.weights.finding import Candidate, Tensors, is_bookkeeping, within
from res2net.weights.namings import is_never_used, renamed

HEAD = ("fc.weight", "fc.bias")
_SHOWN = 8  # keys shown of a list; the rest are only counted


class Fit(NamedTuple):
    """Hold the outcome of comparing a candidate with a module."""

    candidate: Candidate
    state: Tensors  # tensors to copy
    head: Tensors  # the classifier, if left out
    others: tuple[str, ...]  # other entries left out
    channels: int | None  # of the checkpoint's images, if they differ
    problems: dict[str, list[str]]  # keys by what is wrong with them


def fits_of(
    found: Sequence[Candidate], slots: Tensors, known: Tensors, *, dla: bool
) -> list[Fit]:
    """Compare every candidate with a module: as a whole, otherwise the parts after a prefix.

    Args:
        found: candidates in a checkpoint.
        slots: tensors of the module by key.
        known: tensors of the whole network, of which the module may be the backbone.
        dla: whether the unused projections of the authors' DLA-60 may be present.
    """
    # Not a counter: old checkpoints have none.
    anchor = next(key for key in reversed(slots) if key not in HEAD and slots[key].ndim)
    fits: list[Fit] = []
    for candidate in found:
        fit = _fit(candidate, slots, known, dla=dla)
        inside = within(candidate, anchor) if fit.problems else ()
        parts = [_fit(part, slots, known, dla=dla) for part in inside]
        fits += [part for part in parts if not part.problems] or [fit]
    return fits


def meant(fits: Sequence[Fit], checkpoint: object, source: str) -> Fit:
    """Choose the intended weights: the only ones that fit, or those named most clearly.

    Raises:
        WeightsError: there are no tensors by name, or several fit and none stands out.
    """
    if not fits:
        kind = type(checkpoint).__name__
        what = (
            "no tensors by name"
            if isinstance(checkpoint, Mapping)
            else f"a {kind}, not tensors by name"
        )
        raise WeightsError(f"{source}: contains {what}; {HOW_TO_SAVE}")
    fitting = [fit for fit in fits if not fit.problems]
    if not fitting:
        return max(fits, key=lambda fit: len(fit.state))
    first = fitting[0]
    alike = [fit for fit in fitting if fit.candidate.meant == first.candidate.meant]
    rivals = [first, *(fit for fit in alike[1:] if not _same(fit.state, first.state))]
    if len(rivals) > 1:
        names = ", ".join(repr(fit.candidate.label) for fit in rivals)
        raise WeightsError(
            f"{source}: contains {len(rivals)} sets of weights that fit: {names}; save "
            "the one you want in a file of its own"
        )
    return first


def _same(one: Tensors, other: Tensors) -> bool:
    return one.keys() == other.keys() and all(
        tensor is other[key] or torch.equal(tensor, other[key]) for key, tensor in one.items()
    )


def _fit(candidate: Candidate, slots: Tensors, known: Tensors, *, dla: bool) -> Fit:
    """Compare a candidate with the slots of a module, and with those of the whole network."""
    tensors = {k: t for k, t in candidate.tensors.items() if not is_bookkeeping(k)}
    ours = renamed(tensors, known) if tensors else {}
    state = {name: tensors[key] for key, name in ours.items()}
    for key in [key for key in state.keys() - known if dla and is_never_used(key)]:
        del state[key]
    for key in known.keys() - state.keys():
        if key.endswith(".num_batches_tracked"):  # missing before torch 0.4.1
            state[key] = torch.zeros((), dtype=torch.long)
    head = {key: state.pop(key) for key in _head_to_drop(state, slots)}
    channels = _adapt_stem(state, known)
    wanted = [key for key in slots if key not in head]
    problems = {
        "missing": [f"{key} ({described(slots[key])})" for key in wanted if key not in state],
        "unexpected": [
            f"{key} ({described(tensor)})" for key, tensor in state.items() if key not in known
        ],
        "of another shape": [
            f"{key} ({described(state[key])}, should be {described(slot)})"
            for key, slot in known.items()
            if key in state and not _matches(state[key], slot)
        ],
    }
    return Fit(
        candidate,
        {key: state[key] for key in wanted if key in state},
        head if HEAD[0] in slots else {},
        (*candidate.others, *(key for key in candidate.tensors if key not in ours)),
        channels,
        {what: keys for what, keys in problems.items() if keys},
    )


def _adapt_stem(state: Tensors, known: Tensors) -> int | None:
    """Adapt the first convolution, in place, to a different number of image channels.

    Its kernels are summed for one channel, or repeated over the channels and scaled so that
    features keep their size; timm does the same.

    Returns:
        The number of channels of the checkpoint's images; None where it is the network's.
    """
    key = next(iter(known))  # the stem comes first
    slot, given = known[key], state.get(key)
    if given is None or given.ndim != 4 or slot.ndim != 4 or not _plain(given):
        return None
    before, after = given.shape[1], slot.shape[1]
    if before == after or not before or given[:, :1].shape != slot[:, :1].shape:
        return None
    if after == 1:
        state[key] = given.float().sum(1, keepdim=True)
    else:
        times = -(-after // before)
        state[key] = given.float().repeat(1, times, 1, 1)[:, :after] * (before / after)
    return before


def _head_to_drop(state: Tensors, slots: Tensors) -> Collection[str]:
    """List the keys of a classifier that is not wanted or has different classes."""
    given = {key: state[key] for key in HEAD if key in state}
    if not slots.keys() >= set(HEAD):
        return given  # the module is a backbone
    own = [slots[key].shape for key in HEAD]
    shapes = [tensor.shape for tensor in given.values()]
    same_features = [shape[1:] for shape in shapes] == [shape[1:] for shape in own]
    one_number = len({shape[0] for shape in shapes if shape}) == 1
    return given if same_features and one_number and shapes != own else []


def _plain(tensor: Tensor) -> bool:
    """Tell whether a tensor has the usual form of weights."""
    return tensor.is_floating_point() and tensor.layout == torch.strided


def _matches(given: Tensor, slot: Tensor) -> bool:
    """Tell whether `given` can be copied into `slot`: numbers of the same shape."""
    there = given.layout == torch.strided and not given.is_meta
    numbers = given.is_floating_point() or not slot.is_floating_point()
    return there and numbers and given.shape == slot.shape


def described(tensor: Tensor) -> str:
    """Write the shape of a tensor, and its type where it is unusual for weights."""
    shape = "x".join(map(str, tensor.shape)) or "one number"
    full = f"{shape} {tensor.dtype} {tensor.layout}".replace("torch.", "")
    return shape if _plain(tensor) else full


def listed(names: Sequence[str]) -> str:
    """Write the first of many names, and how many more there are."""
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
