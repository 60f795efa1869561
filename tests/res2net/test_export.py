"""Every network leaves Python: torch.export, TorchScript, ONNX, torch.compile in one graph."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch import Tensor, nn

from res2net import build, parse
from res2net.published import published

# Each skeleton and each kind of block in it, small, in one form or another.
SMALL = [
    ("res2next1.2.1_2c3w3s_8p_se", "classifier"),
    ("res2net1.1.1.2_3w1.2.4.8s_v1b_8p", "backbone"),
    ("res2net1.2.1.1_3w4s_8p", "dense"),
    ("res2net_dla1.2.1.1_3w4s_8p", "classifier"),
    ("blres2net2.2.2.1_3w2s_8p_depthwise", "classifier"),
]
PUBLISHED = sorted({row.architecture.name for row in published()})
FORMS: Mapping[str, Mapping[str, Any]] = {
    "classifier": {},
    "backbone": {"features": (1, 2, 3)},
    "dense": {"features": (2, 3), "output_stride": 8},
}

pytestmark = [
    pytest.mark.filterwarnings(
        "ignore:`torch.jit:FutureWarning",  # deprecated, and still what some runtimes take
        "ignore:`torch.jit:DeprecationWarning",
        # torch 2.15 about its own constant, and its exporter about Python's own copying.
        "ignore:.*NodeWithTorchFn.*:UserWarning",
        "ignore::DeprecationWarning:copyreg",
    )
]


def settle(module: nn.Module, generator: torch.Generator) -> None:
    """Norms that are none of the identity, and keep float32 well away from its own limits.

    With wilder ones squeeze-and-excitation alone differs by 1e-4 between float32 and float64.
    """
    for part in module.modules():
        if isinstance(part, nn.BatchNorm2d):
            for tensor in (part.running_mean, part.bias):
                tensor.data.normal_(0, 0.1, generator=generator)
            for tensor in (part.running_var, part.weight):
                tensor.data.uniform_(0.8, 1.2, generator=generator)


def tensors(output: Tensor | Mapping[str, Tensor] | Sequence[Tensor]) -> list[Tensor]:
    """Logits or features as a list, in order."""
    if isinstance(output, Tensor):
        return [output]
    return list(output.values() if isinstance(output, Mapping) else output)


def by_export(module: nn.Module, images: Tensor, folder: Path) -> list[Tensor]:
    return tensors(torch.export.export(module, (images,)).module()(images))


def by_script(module: nn.Module, images: Tensor, folder: Path) -> list[Tensor]:
    torch.jit.script(module).save(folder / "module.pt")
    return tensors(torch.jit.load(folder / "module.pt")(images))


def by_onnx(module: nn.Module, images: Tensor, folder: Path) -> list[Tensor]:
    path = folder / "module.onnx"
    program = torch.onnx.export(module, (images,), dynamo=True, verbose=False)
    assert program is not None
    program.save(path)
    assert onnx.load(path).opset_import[0].version >= 17
    onnx.checker.check_model(path)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    outputs = session.run(None, {session.get_inputs()[0].name: images.numpy()})
    return [torch.from_numpy(np.asarray(output)) for output in outputs]


def by_compile(module: nn.Module, images: Tensor, folder: Path) -> list[Tensor]:
    torch.compiler.reset()
    return tensors(torch.compile(module, fullgraph=True, backend="aot_eager")(images))


WAYS = {"export": by_export, "script": by_script, "onnx": by_onnx, "compile": by_compile}


def is_long(name: str) -> bool:
    """Whether a network has so many operations that compiling it takes ten seconds."""
    return parse(name).skeleton in ("dla", "biglittle")


def check(name: str, form: str, way: str, folder: Path) -> None:
    """The same numbers as eager, to 1e-5 of the largest."""
    architecture = parse(name)
    how = FORMS[form]
    if form == "dense" and architecture.skeleton not in ("cifar", "imagenet"):
        pytest.skip(f"{architecture.skeleton} has no smaller output stride")
    if form == "dense" and architecture.skeleton == "cifar":
        how = {"features": (2, 3), "output_stride": 2}
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(2, 3, 64, 64, generator=generator)
    module = build(architecture, **how).eval()
    settle(module, generator)
    with torch.no_grad():
        expected = tensors(module(images))
        found = WAYS[way](module, images, folder)
    assert len(found) == len(expected)
    for want, got in zip(expected, found, strict=True):
        assert got.shape == want.shape
        assert (got - want).abs().max() <= 1e-5 * want.abs().max()


# Three to ten seconds each: the ways that trace, of the skeletons with the most operations, and
# of features, made of the same modules as a classifier. What compiles is exported as well.
KINDS = [
    pytest.param(
        name,
        form,
        way,
        marks=pytest.mark.slow
        if way == "compile" or (way != "script" and (is_long(name) or form != "classifier"))
        else (),
    )
    for name, form in SMALL
    for way in WAYS
]


@pytest.mark.parametrize(("name", "form", "way"), KINDS)
def test_each_kind_of_network(name: str, form: str, way: str, tmp_path: Path) -> None:
    check(name, form, way, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", PUBLISHED)
def test_every_published_network(name: str, form: str, way: str, tmp_path: Path) -> None:
    check(name, form, way, tmp_path)
