"""Makes the optimiser of a recipe, and averages weights (EMA)."""

import copy
import inspect
from collections.abc import Mapping
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.optim import SGD, AdamW, Optimizer

from res2net.plugins import PluginError
from search.schema.optimizers import OPTIMIZERS
from search.schema.parts import made
from search.schema.training import PlannedTraining

Groups = list[dict[str, Any]]
_Place = tuple[Mapping[str, Tensor | None], str]


class _WithoutCompiler(Optimizer):
    """The methods of torch's optimisers without the decorators that import its compiler.

    The import takes two seconds in each process that trains. A compiled network imports it
    anyway, but the optimiser is never compiled with it.
    """

    add_param_group = inspect.unwrap(Optimizer.add_param_group)
    zero_grad = inspect.unwrap(Optimizer.zero_grad)
    state_dict = inspect.unwrap(Optimizer.state_dict)
    load_state_dict = inspect.unwrap(Optimizer.load_state_dict)


class _SGD(_WithoutCompiler, SGD):
    step = torch.no_grad()(inspect.unwrap(SGD.step))


class _AdamW(_WithoutCompiler, AdamW):
    step = torch.no_grad()(inspect.unwrap(AdamW.step))


def make_optimizer(network: nn.Module, recipe: PlannedTraining) -> Optimizer:
    """Make the optimiser that a recipe names, over all weights that have a gradient.

    Args:
        network: on its device.
        recipe: learning rate (set anew at each step), momentum, decay. Where `decay_norms` is
            false, norms and biases (all that is one-dimensional) do not decay.

    Raises:
        PluginError: a foreign one cannot be made, or is not a torch Optimizer.
    """
    decayed: list[nn.Parameter] = []
    kept: list[nn.Parameter] = []
    trained = (each for each in network.parameters() if each.requires_grad)
    for parameter in trained:
        decays = recipe.decay_norms or parameter.ndim > 1
        (decayed if decays else kept).append(parameter)
    groups = [
        {"params": decayed, "weight_decay": recipe.weight_decay},
        {"params": kept, "weight_decay": 0.0},
    ]
    groups = [group for group in groups if group["params"]]
    name, maker = recipe.optimizer, OPTIMIZERS.make(recipe.optimizer)
    optimizer = made(
        name,
        lambda: maker(groups, recipe, **recipe.optimizer_options),
        "(groups, training), and training.optimizer_options by keyword",
    )
    if not isinstance(optimizer, Optimizer):
        raise PluginError(
            f"{name}: made a {type(optimizer).__name__}, which is not a torch Optimizer"
        )
    return optimizer


def adamw(groups: Groups, recipe: PlannedTraining) -> Optimizer:
    """AdamW, with one fused kernel per device and step."""
    return _AdamW(groups, lr=recipe.peak_lr, betas=recipe.betas, fused=True)


def sgd(groups: Groups, recipe: PlannedTraining) -> Optimizer:
    """SGD with momentum, with one fused kernel per device and step."""
    return _SGD(
        groups,
        lr=recipe.peak_lr,
        momentum=recipe.momentum,
        nesterov=recipe.nesterov,
        fused=True,
    )


class Average:
    """An exponential moving average of a network's weights and statistics.

    It starts as the weights after the first step. Torch's own average reads a counter from the
    CPU at every step, for which a GPU would have to wait.

    Args:
        network: network to follow, on its device.
        decay: share of the average that stays at each step.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.network = copy.deepcopy(network)
        self._decay, self._begun = decay, False
        # To search a network for its tensors takes a millisecond, for which a GPU would have to
        # wait at each step.
        self._averaged, self._copied = (
            (_places(self.network, floats=floats), _places(network, floats=floats))
            for floats in (True, False)
        )

    @torch.no_grad()
    def follow(self) -> None:
        """Move the average a step towards the present weights."""
        ours, theirs = map(_tensors, self._averaged)
        if self._begun:  # one kernel for all tensors
            torch._foreach_lerp_(ours, theirs, 1 - self._decay)
        else:
            torch._foreach_copy_(ours, theirs)
        ours, theirs = map(_tensors, self._copied)
        if ours:
            torch._foreach_copy_(ours, theirs)
        self._begun = True

    def state(self) -> dict[str, Any]:
        """The state, for `load_state`."""
        return {"network": self.network.state_dict(), "begun": self._begun}

    def load_state(self, state: dict[str, Any]) -> None:
        """Continue from a state of the same network."""
        self.network.load_state_dict(state["network"])
        self._begun = state["begun"]


def _places(network: nn.Module, *, floats: bool) -> list[_Place]:
    """Where a network keeps its parameters and buffers, of floating point or not, each once.

    A block may put another tensor there, as some do with their buffers.
    """
    places, seen = list[_Place](), set[int]()
    for module in network.modules():
        for kept in (module._parameters, module._buffers):
            for name, tensor in kept.items():
                if tensor is None or id(tensor) in seen:
                    continue
                seen.add(id(tensor))
                if tensor.is_floating_point() == floats:
                    places.append((kept, name))
    return places


def _tensors(places: list[_Place]) -> list[Tensor]:
    return [cast("Tensor", kept[name]) for kept, name in places]
