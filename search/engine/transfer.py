"""Starts the backbone of a network from weights that another study trained.

The weights may be those of a classifier, or of a task's network that contains a backbone; the
same is true of the network that takes them. What is not part of the backbone stays as drawn.
"""

import hashlib
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import safetensors.torch
import torch
from torch import Tensor, nn

from res2net import Architecture, WeightsError, build
from res2net.backbone import Backbone
from res2net.weights import fill
from search.schema.transfer import PlannedTransfer, SourceWeights


class NoBackboneError(ValueError):
    """A task's network holds no backbone that weights could go to, or more than one."""


class Initial(NamedTuple):
    """The file that a trial's backbone starts from, and the SHA-256 that it must have."""

    path: Path
    sha256: str


def initial_of(taken: SourceWeights, here: Path) -> Initial:
    """The initial weights of a plan, with their path as seen from this process.

    Args:
        taken: initial weights from the plan.
        here: the folder that the study was started in.
    """
    return Initial(here / taken.path, taken.sha256)


def start_from(network: nn.Module, architecture: Architecture, initial: Initial) -> None:
    """Copy the trained weights of a backbone into the network of a trial.

    Args:
        network: from `Task.network`; its backbone is filled, all else stays.
        architecture: architecture of the backbone.
        initial: the file.

    Raises:
        OSError: the file cannot be read, or is not the one that the study began with.
        WeightsError: it holds the weights of another backbone.
        NoBackboneError: the network has no backbone.
    """
    content = initial.path.read_bytes()
    if hashlib.sha256(content).hexdigest() != initial.sha256:
        raise OSError(f"{initial.path} is not the file that the study began with")
    tensors = safetensors.torch.load(content)
    trained = trained_backbone(architecture, tensors, str(initial.path))
    backbone_in(network, trained).load_state_dict(trained, strict=False)


def trained_backbone(
    architecture: Architecture, tensors: dict[str, Tensor], source: str
) -> dict[str, Tensor]:
    """The tensors of a backbone by name, from a checkpoint that may hold more.

    Args:
        architecture: architecture of the backbone.
        tensors: the checkpoint.
        source: what to call it in messages.

    Raises:
        WeightsError: it holds the weights of another backbone; the first differences are named.
    """
    backbone = build(architecture, features=range(1, len(architecture.facts.stages) + 1))
    whole = build(architecture, device="meta")  # what a file may hold besides the backbone
    with warnings.catch_warnings():  # a file may hold a head as well
        warnings.simplefilter("ignore")
        fill(backbone, architecture, tensors, source=source, whole=whole)
    return backbone.state_dict()


def backbone_in(network: nn.Module, trained: Mapping[str, Tensor]) -> nn.Module:
    """The module of a network whose tensors have the names and shapes of a backbone's.

    It is a `Backbone` of `res2net.build(..., features=...)`, or a classifier of
    `res2net.build`: either the network itself or a part of it.

    Raises:
        NoBackboneError: there is none, or more than one.
    """
    shapes = {name: tensor.shape for name, tensor in trained.items()}
    found = [module for module in network.modules() if _holds(module, shapes)]
    if len(found) != 1:
        raise NoBackboneError(
            f"its network contains {len(found) or 'no'} backbones of res2net.build, so that no "
            "trained weights can be copied into it; make it of one, with build(architecture, "
            "features=...), or remove transfer"
        )
    return found[0]


def _holds(module: nn.Module, shapes: dict[str, torch.Size]) -> bool:
    if not isinstance(module, (Backbone, nn.Sequential, nn.ModuleDict)):
        return False
    own = {name: tensor.shape for name, tensor in module.state_dict().items()}
    return all(own.get(name) == shape for name, shape in shapes.items())


def check_files(transfer: PlannedTransfer, here: Path) -> None:
    """Check that this machine can read every file of a transfer.

    Raises:
        OSError: it cannot.
    """
    for one in transfer.files:
        path = initial_of(one, here).path
        if not path.is_file():
            raise OSError(
                f"transfer.from: {path} cannot be read on this machine; put it where every "
                "node finds it under this path"
            )


def check_weights(transfer: PlannedTransfer, networks: dict[str, Architecture]) -> None:
    """Check that every file of a transfer holds the backbone recorded for it.

    Args:
        transfer: transfer of the plan.
        networks: networks of the study, by name.

    Raises:
        WeightsError: a file holds another backbone.
    """
    for one in transfer.files:
        path = Path(one.path)
        architecture = networks[one.network]
        try:
            tensors = safetensors.torch.load(path.read_bytes())
        except Exception as error:  # a broken file may raise any error
            raise WeightsError(f"{path}: is not a file of weights ({error})") from error
        trained_backbone(architecture, tensors, str(path))
