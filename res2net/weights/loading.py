"""Fill modules from published and own checkpoints: whole, or an error and nothing.

A file's tensors are read without running anything in it, renamed to our keys, compared with
the network by key and shape, and only then copied.
"""

import warnings
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

from res2net.architecture import Architecture
from res2net.errors import WeightsError
from res2net.weights.checkpoints import HOW_TO_SAVE, read_checkpoint, reason_of
from res2net.weights.namings import (
    COUNTERS,
    TIMM,
    is_never_used,
    renamed,
    timm_name,
    unwrapped,
)

Tensors = dict[str, Tensor]

_HEAD = ("fc.weight", "fc.bias")
_SHOWN = 8  # of a list of keys; the rest is counted


class HeadDropped(UserWarning):
    """Warn that the checkpoint's classifier was left out: it has another number of classes."""


class PartsLeftOut(UserWarning):
    """Warn that the checkpoint holds a larger model, of which the rest was left out."""


def fill_from(
    module: nn.Module,
    architecture: Architecture,
    weights: Path | str,
    *,
    whole: nn.Module | None = None,
) -> None:
    """Fill a module from a file, or for "timm" through timm's hub; otherwise as `fill`."""
    if any(parameter.is_meta for parameter in module.parameters()):
        raise WeightsError("device: 'meta' holds shapes and no weights; write 'cpu' or 'cuda'")
    timm = weights == "timm"
    checkpoint = from_timm(architecture) if timm else read_checkpoint(Path(weights))
    fill(module, architecture, checkpoint, source=str(weights), whole=whole)


def fill(
    module: nn.Module,
    architecture: Architecture,
    checkpoint: object,
    *,
    source: str,
    whole: nn.Module | None = None,
) -> None:
    """Copy a checkpoint into a module; where anything does not fit, copy nothing.

    Args:
        module: what `res2net.build` made of `architecture`, classifier or backbone.
        architecture: of the module.
        checkpoint: tensors by key in any naming, or a dict that holds them.
        source: what to call the checkpoint in messages.
        whole: the classifier that a backbone is part of, maybe on the meta device: what a
            checkpoint may hold beyond the module. None where the module is all there is.

    Raises:
        WeightsError: the checkpoint does not hold the weights of this architecture.

    Warns:
        HeadDropped, PartsLeftOut: as `res2net.build` warns.
    """
    tensors = _tensors(checkpoint, source)
    ours = renamed(tensors)
    state = {name: tensors[key] for key, name in ours.items()}
    slots = module.state_dict()
    known = slots if whole is None else whole.state_dict()
    published_dla = architecture.skeleton == "dla"
    unread = {key for key in state.keys() - known if published_dla and is_never_used(key)}
    fit = _fit(slots, known, {key: t for key, t in state.items() if key not in unread})
    if fit.problems:
        lines = [f"  {what}: {_listed(keys)}" for what, keys in fit.problems.items()]
        remedy = "name the architecture that these weights were made with"
        missing = [entry.partition(" ")[0] for entry in fit.problems.get("missing", [])]
        if missing == list(_HEAD):
            remedy += "; weights without a classifier fill a backbone: features=(1, 2, 3, 4)"
        problem = f"{source}: not the weights of {architecture.name}"
        raise WeightsError("\n".join([problem, *lines, remedy]))
    _warn(source, architecture, fit.head, tensors.keys() - ours - COUNTERS)
    outcome = module.load_state_dict(fit.state, strict=False)
    assert set(outcome.missing_keys) <= set(_HEAD), "all else was compared above"
    assert not outcome.unexpected_keys, "nothing else was handed over"


def from_timm(architecture: Architecture) -> Tensors:
    """Fetch the weights that timm has of a network, through its hub or from its cache.

    Args:
        architecture: one of those in `res2net.weights.TIMM`; its `classes` may differ.

    Returns:
        timm's tensors by key, for `fill`.

    Raises:
        WeightsError: timm has no weights of it, is not installed, or cannot be reached.
    """
    name = timm_name(architecture)
    if name is None:
        raise WeightsError(
            f"timm has no weights of {architecture.name}; it has those of: {', '.join(TIMM)}"
        )
    try:
        import timm  # noqa: PLC0415 - the package works without it

        with torch.random.fork_rng(devices=[]):  # timm draws weights before it has them
            return dict(timm.create_model(name, pretrained=True).state_dict())
    except ImportError as error:
        raise WeightsError(
            f"timm's {name}: timm cannot be imported ({error}); pip install timm"
        ) from error
    except Exception as error:  # every layer under timm has errors of its own
        raise WeightsError(
            f"timm's {name}: could not be fetched ({reason_of(error)}); it needs a network, or "
            "a cache that was filled on one; a file from elsewhere is read with weights=PATH"
        ) from error


def _tensors(checkpoint: object, source: str) -> Tensors:
    checkpoint = unwrapped(checkpoint)
    if not isinstance(checkpoint, Mapping):
        kind = type(checkpoint).__name__
        raise WeightsError(f"{source}: holds a {kind}, not tensors by name; {HOW_TO_SAVE}")
    foreign = [
        f"{key!r} is a {type(value).__name__}"
        for key, value in checkpoint.items()
        if not (isinstance(key, str) and isinstance(value, Tensor))
    ]
    if foreign or not checkpoint:
        what = f"more than tensors: {_listed(foreign)}" if foreign else "no tensors"
        raise WeightsError(f"{source}: holds {what}; {HOW_TO_SAVE}")
    return dict(checkpoint)


class _Fit(NamedTuple):
    """Hold the outcome of comparing a checkpoint with a module."""

    state: Tensors  # what to copy
    head: Tensors  # the classifier that is left out
    problems: dict[str, list[str]]  # keys by what is wrong with them; only what is


def _fit(slots: Tensors, known: Tensors, given: Tensors) -> _Fit:
    """Compare a checkpoint with the slots of a module, and with those of the whole network."""
    state = dict(given)
    for key in known.keys() - given:
        if key.endswith(".num_batches_tracked"):  # torch before 0.4.1 counted none
            state[key] = torch.zeros((), dtype=torch.long)
    head = {key: state.pop(key) for key in _head_to_drop(state, slots)}
    wanted = [key for key in slots if key not in head]
    problems = {
        "missing": [f"{key} ({_described(slots[key])})" for key in wanted if key not in state],
        "unexpected": [
            f"{key} ({_described(tensor)})" for key, tensor in state.items() if key not in known
        ],
        "of another shape": [
            f"{key} ({_described(state[key])}, should be {_described(slot)})"
            for key, slot in known.items()
            if key in state and not _matches(state[key], slot)
        ],
    }
    return _Fit(
        {key: state[key] for key in wanted if key in state},
        head if _HEAD[0] in slots else {},
        {what: keys for what, keys in problems.items() if keys},
    )


def _head_to_drop(state: Tensors, slots: Tensors) -> Collection[str]:
    """List the keys of a classifier that is not asked for, or has other classes."""
    given = {key: state[key] for key in _HEAD if key in state}
    if not slots.keys() >= set(_HEAD):
        return given  # to a backbone
    own = [slots[key].shape for key in _HEAD]
    shapes = [tensor.shape for tensor in given.values()]
    same_features = [shape[1:] for shape in shapes] == [shape[1:] for shape in own]
    one_number = len({shape[0] for shape in shapes if shape}) == 1
    return given if same_features and one_number and shapes != own else []


def _matches(given: Tensor, slot: Tensor) -> bool:
    """Tell whether `given` can be copied and means the same: numbers, of the same shape."""
    plain = given.layout == torch.strided and not given.is_meta
    numbers = given.is_floating_point() or not slot.is_floating_point()
    return plain and numbers and given.shape == slot.shape


def _described(tensor: Tensor) -> str:
    shape = "x".join(map(str, tensor.shape)) or "one number"
    plain = tensor.is_floating_point() and tensor.layout == torch.strided
    return shape if plain else f"{shape} {tensor.dtype} {tensor.layout}".replace("torch.", "")


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def _warn(
    source: str, architecture: Architecture, head: Tensors, others: Collection[str]
) -> None:
    notes: dict[type[UserWarning], str] = {}
    if head:
        what = ", ".join(f"{key} ({_described(tensor)})" for key, tensor in head.items())
        notes[HeadDropped] = (
            f"{what}; the network has {architecture.classes} classes and keeps the classifier "
            "that it was built with"
        )
    if others:
        owners = ", ".join(sorted({key.partition(".")[0] for key in others}))
        notes[PartsLeftOut] = f"{len(others)} tensors that are not of the network: {owners}"
    for category, note in notes.items():
        warnings.warn(f"{source}: left out {note}", category, stacklevel=5)
