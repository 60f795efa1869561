"""Gradients of dilated convolutions in bf16, held to those of fp64 and of fp32."""

from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from res2net import Architecture
from search.engine.bench import make_bench
from search.engine.dilated import with_right_gradients
from search.engine.training import Trainer
from search.scenes.random_scenes import random_scenes
from search.schema.training import Precision
from tests.search.spaces import plan_of

CPU = torch.device("cpu")
DILATED = """\
study: dilated
network: {skeleton: imagenet, planes: 8, depth: 26, cardinality: 2, scale: 2, width: 8}
data: {name: voc, root: nowhere, sets: voc12, validation: 4}
task: {name: segmentation, output_stride: 16, channels: 16}
training: {epochs: 1, batch_size: 2, optimizer: sgd, lr: 0.01, momentum: 0, nesterov: false}
search: {sampler: grid}
"""


@pytest.mark.parametrize(("channels", "groups"), [(2, 2), (16, 2), (48, 6), (64, 64)])
@pytest.mark.parametrize("dilation", [2, 4, 12])
def test_the_gradients_are_those_of_fp64(channels: int, groups: int, dilation: int) -> None:
    """Without, one of these shapes ends the process on a CPU with bf16 units."""
    torch.manual_seed(0)
    layer = nn.Conv2d(channels, channels, 3, 1, dilation, dilation, groups, bias=False)
    network = with_right_gradients(nn.Sequential(layer), "bf16", CPU)
    network.to(memory_format=torch.channels_last)
    images = torch.randn(3, channels, 32, 32).to(memory_format=torch.channels_last)
    with torch.autocast("cpu", torch.bfloat16):
        out = network(images.requires_grad_())
    out.backward(torch.ones_like(out))
    exact = layer.weight.detach().double().requires_grad_()
    expected = F.conv2d(images.detach().double(), exact, None, 1, dilation, dilation, groups)
    expected.sum().backward()
    assert exact.grad is not None
    assert layer.weight.grad is not None
    error = (layer.weight.grad - exact.grad).abs().max() / exact.grad.abs().max()
    assert error < 0.02


@pytest.mark.slow
def test_a_step_in_bf16_moves_dilated_weights_as_one_in_fp32(tmp_path: Path) -> None:
    moved = {one: _moved(tmp_path, one) for one in ("fp32", "bf16")}
    assert len(moved["fp32"]) >= 4
    for name, plain in moved["fp32"].items():
        mixed = moved["bf16"][name]
        assert F.cosine_similarity(plain, mixed, dim=0) > 0.9, name
        assert float(mixed.norm()) == pytest.approx(float(plain.norm()), rel=0.3), name


def _moved(folder: Path, precision: Precision) -> dict[str, torch.Tensor]:
    """How far a step moves the weights of each dilated convolution in groups."""
    plan = plan_of(folder, DILATED, f"training.precision={precision}")
    scenes = random_scenes(plan.data, train=4, held_out=4)
    bench = make_bench(plan, Path(), device=CPU, images=scenes)
    network = Architecture(
        skeleton="imagenet", depth=26, planes=8, width=8, scale=2, cardinality=2, classes=20
    )
    trainer = Trainer(network, bench, epochs=1, seed=0)

    def weights() -> dict[str, torch.Tensor]:
        return {
            name: layer.weight.detach().clone().flatten()
            for name, layer in trainer.trained.named_modules()
            if isinstance(layer, nn.Conv2d) and layer.groups > 1 and max(layer.dilation) > 1
        }

    before = weights()
    trainer.epoch(trial=0, seconds=0.0)
    return {name: after - before[name] for name, after in weights().items()}
