"""Keeps grouped dilated convolutions out of bf16 on a CPU, where torch's gradient is wrong.

In torch 2.15 the gradient of their weights (oneDNN's, stride 1, channels_last, on CPUs with
bf16 units) contains uninitialised memory: it is off by 1 part in 1 up to 1e37, or a
segmentation fault kills the process. Their outputs, all other convolutions, other layouts and
fp32 were right in 339 random shapes each. DeepLabV3+ has such layers, and so has every network
of cardinality above 1 whose last stages are dilated for an output stride.
"""

import torch
from torch import Tensor, nn

from search.schema.training import Precision
from search.tasks.heads import without_autocast


class _InFp32(nn.Conv2d):
    """A convolution whose forward and backward pass are in fp32, within a bf16 pass."""

    def forward(self, input: Tensor) -> Tensor:
        with without_autocast(input):
            return super().forward(input.float()).to(input.dtype)


def with_right_gradients(
    network: nn.Module, precision: Precision, device: torch.device
) -> nn.Module:
    """Let a network's convolutions that are wrong in bf16 run in fp32.

    Args:
        network: network in fp32; it is changed in place, and its weights keep their names.
        precision: precision of its training.
        device: on which it is trained; only for a CPU is anything changed.
    """
    if device.type == "cpu" and precision == "bf16":
        for layer in network.modules():
            if type(layer) is nn.Conv2d and layer.groups > 1 and max(layer.dilation) > 1:
                layer.__class__ = _InFp32
    return network
