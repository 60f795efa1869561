"""Gradients of captured passes: a CUDA graph writes them into the same memory each time.

Torch does not copy them from there into a parameter that has none.
"""

from torch import nn


def keep(network: nn.Module) -> None:
    """Copy the gradients of a network, which the graph's next pass would overwrite."""
    for parameter in network.parameters():
        if parameter.grad is not None:
            parameter.grad = parameter.grad.clone()


def separate(network: nn.Module) -> None:
    """Give each parameter a gradient of its own.

    Two of which only the sum is used have one between them, which clipping would scale twice.
    """
    gradients = (parameter.grad for parameter in network.parameters())
    places = [one.data_ptr() for one in gradients if one is not None and one.numel()]
    if len({*places}) < len(places):
        keep(network)
