"""Fill modules from published checkpoints and our own: completely, or not at all.

A file's tensors are read without running anything in it, renamed to our keys, compared with
the network by key and shape, and only then copied.
"""

import warnings
from pathlib import Path

import torch
from torch import nn

from res2net.architecture import Architecture
from res2net.errors import ArchitectureError, WeightsError
from res2net.file_names import path_of, text_of
from res2net.names import parse
from res2net.weights.checkpoints import read_checkpoint, reason_of
from res2net.weights.finding import Tensors, candidates, is_bookkeeping
from res2net.weights.fitting import HEAD, Fit, described, fits_of, listed, meant
from res2net.weights.namings import TIMM, timm_name


class HeadDropped(UserWarning):
    """Warn that the checkpoint's classifier was left out: its number of classes differs."""


class PartsLeftOut(UserWarning):
    """Warn that the checkpoint contains more than the network, and the rest was left out."""


class StemAdapted(UserWarning):
    """Warn that the checkpoint's network takes images with a different number of channels."""


def fill_from(
    module: nn.Module,
    architecture: Architecture,
    weights: Path | str,
    *,
    whole: nn.Module | None = None,
) -> None:
    """Fill a module from a file, or with "timm" through timm's hub; otherwise like `fill`."""
    if any(parameter.is_meta for parameter in module.parameters()):
        raise WeightsError("device: 'meta' has shapes but no weights; write 'cpu' or 'cuda'")
    hub, _, published = str(weights).partition("/")
    if hub == "timm" and not (published and path_of(text_of(weights)).is_file()):
        checkpoint: object = from_timm(architecture, published)
    else:
        checkpoint = read_checkpoint(path_of(text_of(weights)))
    fill(module, architecture, checkpoint, source=str(weights), whole=whole)


def fill(
    module: nn.Module,
    architecture: Architecture,
    checkpoint: object,
    *,
    source: str,
    whole: nn.Module | None = None,
) -> None:
    """Copy a checkpoint into a module; if anything does not fit, copy nothing.

    Args:
        module: made by `res2net.build` from `architecture`; a classifier or backbone.
        architecture: architecture of the module.
        checkpoint: tensors by key in any naming, or a dict that holds them.
        source: name of the checkpoint in messages.
        whole: the classifier that a backbone is part of, possibly on the meta device; it
            defines what a checkpoint may contain beyond the module. None where the module is
            itself the whole network.

    Raises:
        WeightsError: the checkpoint does not hold the weights of this architecture.

    Warns:
        HeadDropped, PartsLeftOut, StemAdapted: see `res2net.build`.
    """
    slots = module.state_dict()
    known = slots if whole is None else whole.state_dict()
    dla = architecture.skeleton == "dla"
    fit = meant(fits_of(candidates(checkpoint), slots, known, dla=dla), checkpoint, source)
    if fit.problems:
        raise WeightsError(_told(fit, architecture, source))
    _warn(source, architecture, fit)
    outcome = module.load_state_dict(fit.state, strict=False)
    assert set(outcome.missing_keys) <= set(HEAD), "all else was compared above"
    assert not outcome.unexpected_keys, "nothing else was handed over"


def from_timm(architecture: Architecture, published: str = "") -> Tensors:
    """Fetch timm's weights for a network, through its hub or from its cache.

    Args:
        architecture: one of those in `res2net.weights.TIMM`; its `classes` may differ.
        published: timm's name of one of several published sets, such as resnet50.tv_in1k;
            empty for timm's default.

    Returns:
        timm's tensors by key, for `fill`.

    Raises:
        WeightsError: timm has no weights for it, is not installed, or its hub cannot be
            reached.
    """
    name = timm_name(architecture)
    if name is None:
        raise WeightsError(
            f"timm has no weights of {architecture.name}; it has those of: {', '.join(TIMM)}"
        )
    if published and _network_of(published) != name:
        raise WeightsError(f"timm/{published}: not of {architecture.name}; write timm/{name}")
    name = published or name
    try:
        import timm  # noqa: PLC0415 - the package works without it

        with torch.random.fork_rng(devices=[]):  # timm draws random weights before it loads
            return dict(timm.create_model(name, pretrained=True).state_dict())
    except ImportError as error:
        raise WeightsError(
            f"timm's {name}: timm cannot be imported ({error}); pip install timm"
        ) from error
    except Exception as error:  # each library under timm has its own errors
        raise WeightsError(
            f"timm's {name}: could not be fetched ({reason_of(error)}); this needs a network "
            "connection or a filled cache; for a file from elsewhere give weights=PATH"
        ) from error


def _network_of(published: str) -> str | None:
    try:
        return timm_name(parse(published))
    except ArchitectureError:
        return None


def _change(before: int, after: int) -> str:
    """Say how kernels were adapted to a different number of channels."""
    if after == 1:
        return "summed"
    return "repeated and scaled" if after > before else "cut and scaled"


def _told(fit: Fit, architecture: Architecture, source: str) -> str:
    """Say how the closest candidate differs from the network."""
    where = f" (in {fit.candidate.label!r})" if fit.candidate.path else ""
    lines = [f"  {what}: {listed(keys)}" for what, keys in fit.problems.items()]
    remedy = "name the architecture that these weights were made with"
    missing = [entry.partition(" ")[0] for entry in fit.problems.get("missing", [])]
    if missing == list(HEAD):
        remedy += "; weights without a classifier fill a backbone: features=(1, 2, 3, 4)"
    problem = f"{source}{where}: not the weights of {architecture.name}"
    return "\n".join([problem, *lines, remedy])


def _warn(source: str, architecture: Architecture, fit: Fit) -> None:
    notes: dict[type[UserWarning], str] = {}
    if fit.head:
        what = ", ".join(f"{key} ({described(tensor)})" for key, tensor in fit.head.items())
        notes[HeadDropped] = (
            f"left out {what}; the network has {architecture.classes} classes and keeps the "
            "classifier that it was built with"
        )
    others = [key for key in fit.others if key != "n_averaged"]  # torch's own, harmless
    if others:
        names = sorted(
            {
                key.rpartition(".")[2] if is_bookkeeping(key) else key.partition(".")[0]
                for key in others
            }
        )
        notes[PartsLeftOut] = (
            f"left out {len(others)} entries that the network does not have: {listed(names)}"
        )
    if fit.channels is not None:
        notes[StemAdapted] = (
            f"made for images of {fit.channels} channels; the first convolution was "
            f"{_change(fit.channels, architecture.channels)} to {architecture.channels}"
        )
    for category, note in notes.items():
        warnings.warn(f"{source}: {note}", category, stacklevel=5)
