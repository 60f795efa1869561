"""The optimiser of a recipe, and the average of the weights."""

from torch import nn
from torch.optim import SGD, AdamW, Optimizer
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from search.engine.recipe import Training


def make_optimizer(network: nn.Module, recipe: Training) -> Optimizer:
    """SGD or AdamW over all weights, each step one fused kernel a device.

    Args:
        network: on its device.
        recipe: learning rate (set anew each step), momentum, decay. Where `decay_norms` is
            false, norms and biases (all that is one-dimensional) do not decay.
    """
    decayed: list[nn.Parameter] = []
    kept: list[nn.Parameter] = []
    for parameter in network.parameters():
        decays = recipe.decay_norms or parameter.ndim > 1
        (decayed if decays else kept).append(parameter)
    groups = [
        {"params": decayed, "weight_decay": recipe.weight_decay},
        {"params": kept, "weight_decay": 0.0},
    ]
    groups = [group for group in groups if group["params"]]
    if recipe.optimizer == "adamw":
        return AdamW(groups, lr=recipe.peak_lr, betas=recipe.betas, fused=True)
    return SGD(
        groups,
        lr=recipe.peak_lr,
        momentum=recipe.momentum,
        nesterov=recipe.nesterov,
        fused=True,
    )


def make_average(network: nn.Module, recipe: Training) -> AveragedModel | None:
    """An exponential moving average of weights and statistics; None where none is asked for."""
    if recipe.ema is None:
        return None
    average = get_ema_multi_avg_fn(recipe.ema)  # type: ignore[no-untyped-call]  # torch has none
    return AveragedModel(network, multi_avg_fn=average, use_buffers=True)
