"""Errors of a network on images that it did not train on."""

import torch
from torch import nn

from search.engine.allocation import is_out_of_memory
from search.engine.bench import Bench, Held
from search.engine.execution import autocast

# Pixels of one batch; errors do not depend on it.
_PIXELS = {"cpu": 1 << 20, "cuda": 1 << 23}


class DivergedError(ArithmeticError):
    """What is computed is no longer a number."""


@torch.no_grad()
def errors(network: nn.Module, images: Held, bench: Bench) -> tuple[float, float]:
    """Top-1 and top-5 error in percent; in smaller batches where memory is short.

    Args:
        network: left in evaluation mode.
        images: all of them are looked at.
        bench: says how they are normalised and in which precision.

    Raises:
        DivergedError: the network puts out numbers that are not finite.
    """
    network.eval()
    size = max(1, _PIXELS[bench.device.type] // bench.resolution**2)
    size = min(size, len(images.labels))
    while True:
        try:
            return _errors(network, images, bench, size)
        except (RuntimeError, MemoryError) as error:
            if size == 1 or not is_out_of_memory(error):
                raise
        size //= 2


def _errors(network: nn.Module, images: Held, bench: Bench, size: int) -> tuple[float, float]:
    device, labels = bench.device, images.labels
    wrong = torch.zeros(2, dtype=torch.int64, device=device)
    finite = torch.ones((), dtype=torch.bool, device=device)
    chosen = torch.split(torch.arange(len(labels), device=device), size)
    for part, gathered in zip(chosen, images.store.batches(chosen), strict=True):
        normal = bench.augmentation.plain(gathered.images[gathered.positions])
        with autocast(device, bench.recipe.precision):
            logits = network(normal)
        best = logits.float().topk(min(5, logits.shape[1])).indices
        hit = best == labels[part, None]
        wrong += torch.stack([(~hit[:, 0]).sum(), (~hit.any(1)).sum()])
        finite &= logits.isfinite().all()
    if not finite:
        raise DivergedError("the network puts out numbers that are not finite")
    top1, top5 = (100 * wrong.double() / len(labels)).tolist()
    return top1, top5
