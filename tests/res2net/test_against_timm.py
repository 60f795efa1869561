"""Our modules against timm's of the same networks: same weights, same numbers."""

from typing import Any

import pytest
import torch
from torch import nn

from res2net import build

timm = pytest.importorskip("timm")

MODELS = [
    "res2net50_26w_4s",
    *(
        pytest.param(name, marks=pytest.mark.slow)  # of other widths and scales than these two
        for name in ("res2net50_48w_2s", "res2net50_26w_6s", "res2net50_26w_8s")
    ),
    "res2net50_14w_8s",
    pytest.param("res2net101_26w_4s", marks=pytest.mark.slow),  # only deeper, as the one below
    "res2next50",
    "res2net50d",
    pytest.param("res2net101d", marks=pytest.mark.slow),
    "dla60_res2net",
    "dla60_res2next",
    "dla60",
    "dla60x",
]


def randomise_norms(module: nn.Module, generator: torch.Generator) -> None:
    """Statistics and affine parameters as after training; fresh ones would hide mistakes."""
    for part in module.modules():
        if isinstance(part, nn.BatchNorm2d):
            for tensor in (part.running_mean, part.bias):
                tensor.data.normal_(generator=generator)
            for tensor in (part.running_var, part.weight):
                tensor.data.uniform_(0.5, 1.5, generator=generator)


def module_of_timm(name: str, generator: torch.Generator, **form: Any) -> nn.Module:
    """Random weights in float64, drawn once: networks of 45 million numbers take their time."""
    with torch.device("meta"):
        module: nn.Module = timm.create_model(name, **form)
    module.double().to_empty(device="cpu")
    for part in module.modules():
        if isinstance(part, (nn.Conv2d, nn.Linear)):
            for tensor in part.parameters(recurse=False):
                spread = (2 * 3 / tensor[0].numel()) ** 0.5  # He's, of the fan in
                tensor.data.uniform_(-spread, spread, generator=generator)
        elif isinstance(part, nn.BatchNorm2d):
            part.reset_parameters()
    randomise_norms(module, generator)
    return module.eval()


@pytest.mark.parametrize("name", MODELS)
def test_same_state_dict_and_same_output(name: str) -> None:
    generator = torch.Generator().manual_seed(0)
    theirs, ours = module_of_timm(name, generator), build(name, device="meta")
    state = theirs.state_dict()
    assert list(state) == list(ours.state_dict())
    ours.load_state_dict(state, strict=True, assign=True)
    ours.eval()
    images = torch.randn(1, 3, 64, 64, generator=generator, dtype=torch.float64)
    with torch.no_grad():
        assert (theirs(images) - ours(images)).abs().max().item() == 0
