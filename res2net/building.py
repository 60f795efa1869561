"""Build an `Architecture` as a torch module, with weights drawn from a seed."""

import contextlib
import math
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path

import torch
from torch import nn

from res2net.architecture import Architecture
from res2net.backbone import Backbone
from res2net.blocks import BLOCKS
from res2net.cost import checked_features
from res2net.errors import ArchitectureError
from res2net.layout import lay_out
from res2net.names import described, hub_name
from res2net.plugins import import_attribute
from res2net.skeletons import SKELETONS, Skeleton
from res2net.skeletons.base import Layout
from res2net.weights import fill_from

Features = Collection[int] | Mapping[int, str]


def build(  # noqa: PLR0913 - the forms of a network, all by keyword
    architecture: Architecture | str,
    *,
    block: str | None = None,
    channels: int | None = None,
    features: Features | None = None,
    output_stride: int | None = None,
    weights: Path | str | None = None,
    seed: int = 0,
    device: str | torch.device = "cpu",
) -> nn.Module:
    """Build the network, initialised from `seed` alone, not from any global state.

    Args:
        architecture: a description, or any name that `res2net.parse` reads.
        block: replaces the architecture's block: a key of `res2net.blocks.BLOCKS`, or a
            user-defined `package.module:attribute` or `path/to/file.py:attribute`.
        channels: channels of the images; replaces the architecture's own number.
        features: None for the classifier; stages, counted from 1, for a backbone that outputs a
            dict of their features. A mapping from stage to key names them; otherwise the keys
            are the modules' names ("layer1"). Classifier and backbone share weights and names.
        output_stride: stride of the last stage relative to the image; where it is smaller than
            the skeleton's own, dilation replaces strides.
        weights: a checkpoint (.pth, .pt, .bin or .tar of torch.save, or .safetensors) in the
            authors' naming, timm's, torchvision's, OpenMMLab's, Big-Little's or ours. Or
            "timm", or "timm/NAME.TAG" for one of several: timm's, fetched through its hub. A
            file is read as tensors only: no code in it is run. The weights may be nested in it
            at any depth. Its classes may differ, and its channels: the first convolution is
            then summed or repeated. A backbone uses only the tensors that it has.
        seed: seed of the initial weights; the same seed gives the same weights on every device.
        device: where the module lives; "meta" builds shapes only.

    Returns:
        A float32 module in training mode: it maps images (N, channels, H, W) to logits (N,
        classes). Or a `Backbone`, which maps them to a dict of (N, C, H / stride, W / stride).

    Raises:
        ArchitectureError: no such name, block, stage or output stride.
        WeightsError: the file cannot be read, or holds the weights of another network; missing
            and unexpected keys are listed with their shapes (only the first if there are many).

    Warns:
        HeadDropped: the file has other classes; its classifier was left out.
        PartsLeftOut: the file contains more than the network, such as a detector.
        StemAdapted: the file's network takes images with a different number of channels.
    """
    if weights == "timm" and isinstance(architecture, str):
        weights = hub_name(architecture)
    architecture = described(architecture, block, channels)
    with _in_float32(), torch.device("meta"):  # without memory and torch's initialisation
        module = _assemble(architecture, features, output_stride)
        # A classifier's checkpoint can also fill a backbone, so its keys must be known.
        partial = weights is not None and features is not None
        whole = _assemble(architecture, None, None) if partial else module
    if torch.device(device).type != "meta":
        _fill(module, architecture, torch.Generator().manual_seed(seed))
        module.to(device)
    if weights is not None:
        fill_from(module, architecture, weights, whole=whole)
    return module


@contextlib.contextmanager
def _in_float32() -> Iterator[None]:
    """Make modules in float32, whatever torch's default is at the moment."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float32)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


def _assemble(
    architecture: Architecture, features: Features | None, output_stride: int | None
) -> nn.Module:
    facts = architecture.facts
    if features is None:
        layout = lay_out(architecture, output_stride=output_stride)
        head = _head(facts, layout.stages[-1].out, architecture.classes)
        classifier = nn.Sequential()
        for name, module in (make_modules(facts, layout) | head).items():
            classifier.add_module(name, module)
        return classifier
    numbers = checked_features(facts, features)
    layout = lay_out(architecture, output_stride=output_stride, last=max(numbers))
    stages = {number: layout.stages[number - 1] for number in numbers}
    names = {number: stage.name for number, stage in stages.items()}
    keys = dict(features) if isinstance(features, Mapping) else names
    if len(set(keys.values())) < len(keys):
        raise ArchitectureError(
            "features", f"{keys} gives two stages the same key; write another"
        )
    return Backbone(
        make_modules(facts, layout),
        keys={stage.name: keys[number] for number, stage in stages.items()},
        channels={keys[number]: stage.out for number, stage in stages.items()},
        strides={keys[number]: stage.pace.reached for number, stage in stages.items()},
    )


def make_modules(facts: Skeleton, layout: Layout) -> dict[str, nn.Module]:
    """Make stem and stages with the function that the skeleton names."""
    make: Callable[[Layout], dict[str, nn.Module]] = import_attribute(facts.make_modules)
    return make(layout)


def _head(facts: Skeleton, channels: int, classes: int) -> dict[str, nn.Module]:
    """Make average pooling and the linear layer ("dla": a 1x1 convolution, as published)."""
    pool = nn.AdaptiveAvgPool2d(1)
    if facts.convolved_head:
        return {"avgpool": pool, "fc": nn.Conv2d(channels, classes, 1), "flat": nn.Flatten()}
    return {"avgpool": pool, "flat": nn.Flatten(), "fc": nn.Linear(channels, classes)}


def _fill(network: nn.Module, architecture: Architecture, generator: torch.Generator) -> None:
    """Give a network on "meta" memory and initial weights."""
    ours = architecture.block in BLOCKS and architecture.skeleton in SKELETONS
    _give_memory(network, fill=None if ours else math.nan)
    _initialise(network, generator)
    if not ours:
        _check_filled(network, "skeleton" if architecture.block in BLOCKS else "block")


def _give_memory(network: nn.Module, *, fill: float | None) -> None:
    """Replace all tensors with ones of the same shapes on the CPU, uninitialised or filled.

    `to_empty` does the same, but for tensors on "meta" its first call imports a library for
    symbolic mathematics, which takes half a second in each process that trains.
    """
    made: dict[torch.Tensor, torch.Tensor] = {}  # a tensor may have several names

    def empty(tensor: torch.Tensor) -> torch.Tensor:
        if tensor not in made:
            new = torch.empty(tensor.shape, dtype=tensor.dtype, device="cpu")
            if fill is not None and new.is_floating_point():
                new.fill_(fill)
            learned = isinstance(tensor, nn.Parameter)
            made[tensor] = nn.Parameter(new, tensor.requires_grad) if learned else new
        return made[tensor]

    for module in network.modules():
        for name, buffer in [*module.named_buffers(recurse=False, remove_duplicate=False)]:
            setattr(module, name, empty(buffer))
        for name, weight in [*module.named_parameters(recurse=False, remove_duplicate=False)]:
            setattr(module, name, empty(weight))


def _initialise(network: nn.Module, generator: torch.Generator) -> None:
    for module in network.modules():
        tensors = {name for name, _ in module.named_parameters(recurse=False)}
        tensors |= {name for name, _ in module.named_buffers(recurse=False)}
        if isinstance(module, nn.BatchNorm2d):
            module.reset_parameters()
        elif isinstance(module, nn.Conv2d) and tensors <= {"weight", "bias"}:
            _initialise_conv(module, generator)
        elif isinstance(module, nn.Linear) and tensors <= {"weight", "bias"}:
            bound = 1 / math.sqrt(module.in_features)
            nn.init.uniform_(module.weight, -bound, bound, generator=generator)
            if module.bias is not None:
                nn.init.uniform_(module.bias, -bound, bound, generator=generator)
        elif tensors:
            _reset(module, generator)


def _check_filled(network: nn.Module, field: str) -> None:
    """Raise ArchitectureError if a module of a user-defined part left a tensor unset."""
    for module in network.modules():
        own = [*module.named_parameters(recurse=False), *module.named_buffers(recurse=False)]
        for name, tensor in own:
            if tensor.is_floating_point() and tensor.isnan().any():
                kind = type(module).__name__
                raise ArchitectureError(
                    field,
                    f"reset_parameters() of its {kind} leaves its tensor {name!r} without "
                    "numbers; fill it there, because networks are made without memory first",
                )


def _initialise_conv(conv: nn.Conv2d, generator: torch.Generator) -> None:
    """Draw weights from He's normal distribution (fan out); set biases to 0."""
    nn.init.kaiming_normal_(
        conv.weight, mode="fan_out", nonlinearity="relu", generator=generator
    )
    if conv.bias is not None:
        nn.init.zeros_(conv.bias)


def _reset(module: nn.Module, generator: torch.Generator) -> None:
    """Initialise a module of a user-defined block by its own method, from our seed."""
    kind = type(module).__name__
    reset = getattr(module, "reset_parameters", None)
    if reset is None:
        raise ArchitectureError(
            "block",
            f"its {kind} holds tensors but has no reset_parameters() to fill them; "
            "write one, because networks are made without memory first",
        )
    # The method draws from torch's global generator, whose state is restored afterwards.
    with torch.random.fork_rng(devices=[]):
        seed = int(torch.randint(2**62, (1,), generator=generator))
        torch.default_generator.manual_seed(seed)
        reset()
