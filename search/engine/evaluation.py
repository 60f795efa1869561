"""Errors of a network on images that it did not train on."""

import torch
from torch import nn

from search.engine.bench import Bench, HeldOut
from search.engine.execution import autocast

_PIXELS = 1 << 20  # of one batch; errors do not depend on it


class DivergedError(ArithmeticError):
    """What is computed is no longer a number."""


@torch.no_grad()
def errors(
    network: nn.Module, images: HeldOut, bench: Bench, *, parts: int = 1
) -> tuple[float, float]:
    """Top-1 and top-5 error in percent.

    Args:
        network: left in evaluation mode.
        images: all of them are looked at.
        bench: says how they are normalised and in which precision.
        parts: that training had to cut a batch into.

    Raises:
        DivergedError: the network puts out numbers that are not finite.
    """
    network.eval()
    device, labels = bench.device, images.labels
    wrong = torch.zeros(2, dtype=torch.int64, device=device)
    finite = torch.ones((), dtype=torch.bool, device=device)
    size = _PIXELS // bench.resolution**2
    if parts > 1:  # memory is short: what training has room for, this has
        size = bench.recipe.batch_size // parts
    size = max(1, size)
    chosen = torch.split(torch.arange(len(labels), device=device), size)
    for part, gathered in zip(chosen, images.store.batches(chosen), strict=True):
        normal = bench.augmentation.plain(gathered.images[gathered.positions])
        with autocast(device, bench.recipe.precision, cached=True):
            logits = network(normal)
        best = logits.float().topk(min(5, logits.shape[1])).indices
        hit = best == labels[part, None]
        wrong += torch.stack([(~hit[:, 0]).sum(), (~hit.any(1)).sum()])
        finite &= logits.isfinite().all()
    if not finite:
        raise DivergedError("the network puts out numbers that are not finite")
    top1, top5 = (100 * wrong.double() / len(labels)).tolist()
    return top1, top5
