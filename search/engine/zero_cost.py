"""Scores an untrained network in seconds, to estimate what it is worth once it is trained.

Takes a trial and its bench. Gives the scores that the study asks for, more being better, and
the seconds that each took. What is scored is a copy of the network with the trial's own initial
weights, in fp32, and random draws come from the trial's seed: the trial itself is not changed.

Sources: synflow is from Tanaka et al. 2020 (arXiv:2006.05467), grad_norm from Abdelfattah et
al. 2021 (arXiv:2101.08134), who use both as scores of networks; naswot is from Mellor et al.
2021 (arXiv:2006.04647).
"""

import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from search.engine.bench import Bench
from search.engine.transfer import start_from
from search.schema.seeds import seed_of
from search.study.events import Started
from search.tasks.base import named_losses

_IMAGES = 128  # of one minibatch, at most: as many as NASWOT's authors used
_LAYERS = (nn.Conv2d, nn.Linear)  # layers whose weights count


class Scores(NamedTuple):
    """Scores of a network by name, those that are finite; and the seconds of all scores."""

    values: dict[str, float]
    seconds: dict[str, float]


def scores_of(started: Started, bench: Bench) -> Scores:
    """The scores that a study asks for, of a trial's untrained network.

    The same for the same architecture, seed, data and number of threads. A score that is not
    finite, as for a network that gives two images the same code, is left out.

    Args:
        started: the trial.
        bench: where it will train; gives the scores to compute.
    """
    values, seconds = {}, {}
    devices = [bench.device] if bench.device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices), torch.enable_grad():
        for name in bench.scores:
            torch.manual_seed(seed_of(started.seed, "scores"))  # for layers such as dropout
            begin = time.perf_counter()
            value = _SCORES[name](_network(started, bench), started, bench)
            seconds[name] = time.perf_counter() - begin
            if math.isfinite(value):
                values[name] = value
    return Scores(values, seconds)


def synflow(network: nn.Module, started: Started, bench: Bench) -> float:
    """Synaptic flow, as its natural logarithm, which ranks networks the same way.

    The sum over weights w of |w dR/dw|, where R is the network's output for an image of ones,
    with every weight made positive and every norm removed: the strength of all paths through
    it. In fp64, as deep networks would overflow fp32.
    """
    network = network.double().eval()
    for module in [*network.modules()]:
        for name, child in module.named_children():
            if isinstance(child, nn.modules.batchnorm._BatchNorm):
                setattr(module, name, nn.Identity())
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.abs_()
    shape = (1, started.network().channels, *bench.image_size)
    ones = torch.ones(shape, dtype=torch.float64, device=bench.device)
    torch.autograd.backward(_sum(network(ones)))
    flow = sum(float((w.detach() * w.grad).abs().sum()) for w in _weights(network))
    return math.log(flow) if flow > 0 else -math.inf


def naswot(network: nn.Module, started: Started, bench: Bench) -> float:
    """How differently the images of a training minibatch switch the network's ReLUs.

    The logarithm of the determinant of the matrix that holds, for each two images, the number
    of ReLUs that are on for both or off for both.
    """
    kernel: list[Tensor] = []

    def note(_module: nn.Module, _inputs: Any, output: Tensor) -> None:
        on = (output.detach() > 0).flatten(1).to(torch.float32)
        both, each = (on @ on.T).double(), on.sum(1).double()  # whole: exact below 2**24
        # On for both, or off for both: all except those that are on for exactly one.
        kernel.append(2 * both + on.shape[1] - each[:, None] - each[None, :])

    with _watching(network, note), torch.no_grad():
        _loss(network, started, bench)
    if not kernel:
        return -math.inf  # there are no ReLUs
    return float(torch.linalg.slogdet(torch.stack(kernel).sum(0).cpu()).logabsdet)


def grad_norm(network: nn.Module, started: Started, bench: Bench) -> float:
    """The sum over layers of the norm of the weights' gradient, after one minibatch."""
    torch.autograd.backward(_loss(network, started, bench))
    return sum(float(weight.grad.norm()) for weight in _weights(network))


_SCORES: Mapping[str, Callable[[nn.Module, Started, Bench], float]] = {
    "synflow": synflow,
    "naswot": naswot,
    "grad_norm": grad_norm,
}


def _network(started: Started, bench: Bench) -> nn.Module:
    """The network of the trial at the start of its training."""
    network = bench.task.network(started.network(), seed=seed_of(started.seed, "weights"))
    if bench.initial is not None:
        start_from(network, started.network(), bench.initial)
    return network.float().to(memory_format=torch.channels_last).train()


def _loss(network: nn.Module, started: Started, bench: Bench) -> Tensor:
    """The loss of a minibatch of training images, augmented by the recipe."""
    generator = torch.Generator(bench.device).manual_seed(seed_of(started.seed, "scores"))
    batch = next(iter(bench.task.batches(generator, start=0)))
    piece, _ = next(iter(batch.pieces(max(1, -(-bench.task.batch_size // _IMAGES)))))

    def forward(*inputs: Any) -> Any:
        return network(*(_as_fp32(one) for one in inputs))

    return named_losses(bench.task.loss(forward, piece))["loss"]


def _as_fp32(value: Any) -> Any:
    return value.float() if isinstance(value, Tensor) and value.is_floating_point() else value


@contextmanager
def _watching(network: nn.Module, note: Callable[..., None]) -> Iterator[None]:
    """Call `note` with the output of each ReLU."""
    relus = (one for one in network.modules() if isinstance(one, nn.ReLU))
    handles: list[RemovableHandle] = [one.register_forward_hook(note) for one in relus]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _weights(network: nn.Module) -> Iterator[Any]:
    """The weights of convolutions and linear layers that have a gradient."""
    layers = (one for one in network.modules() if isinstance(one, _LAYERS))
    return (one.weight for one in layers if one.weight.grad is not None)


def _sum(output: Any) -> Tensor:
    """The sum of all outputs of a network, in whatever structure its task returns them."""
    if isinstance(output, Tensor):
        return output.sum()
    parts: Iterable[Any] = output.values() if isinstance(output, Mapping) else output
    return torch.stack([_sum(part) for part in parts]).sum()
