"""Weights are found in whatever a training program wrote around them, and only if meant."""

import argparse
import datetime
import warnings
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch
from torch import Tensor, nn

from res2net import build
from res2net.errors import WeightsError
from res2net.weights import HeadDropped, PartsLeftOut, StemAdapted

NAME = "res2net1.1.1_3w4s_4p_7classes"
State = dict[str, Tensor]


class Config(dict[str, Any]):
    """As of a program that reads its keys as attributes too."""

    def __init__(self) -> None:
        super().__init__(lr=0.1)
        self.__dict__ = self  # type: ignore[assignment]


class Curve(list[float]):
    """Of a program that keeps its losses."""


class Settings:
    """Of a training program whose code is not at hand where the weights are read."""

    def __init__(self) -> None:
        self.lr, self.when = 0.1, datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)


def network(seed: int = 1) -> nn.Module:
    module = build(NAME, seed=seed)
    for part in module.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.num_batches_tracked.fill_(7)
            part.running_mean.fill_(0.1 * seed)
    return module


def momentum(module: nn.Module) -> dict[str, Any]:
    """An optimiser's state after a step."""
    optimizer = torch.optim.SGD(module.parameters(), lr=0.1, momentum=0.9)
    torch.autograd.backward(module(torch.randn(2, 3, 8, 8)).sum())
    optimizer.step()
    module.load_state_dict(network().state_dict())
    return optimizer.state_dict()


def prefixed(state: Mapping[str, Tensor], prefix: str) -> State:
    return {f"{prefix}{key}": tensor for key, tensor in state.items()}


WRAPPINGS: dict[str, Callable[[State], object]] = {
    "net and epoch": lambda s: {"net": s, "epoch": 1},
    "beside the optimiser": lambda s: {"weights": s, "optimizer": momentum(network())},
    "settings of a program": lambda s: {"net": s, "args": argparse.Namespace(out=Path("x"))},
    "an object of a class unknown": lambda s: {"params": s, "config": Settings()},
    "numbers of numpy": lambda s: {"net": s, "best": np.float64(76.2), "curve": np.ones(3)},
    "a defaultdict beside": lambda s: {"net": s, "history": defaultdict(list, loss=[1.0])},
    "a dict and a list of a program": lambda s: {
        "net": s,
        "config": Config(),
        "curve": Curve([1.0, 0.5]),
        "last": deque([1, 2], maxlen=2),
    },
    "in a defaultdict": lambda s: defaultdict(dict, net=s),
    "one number beside": lambda s: s | {"epoch": torch.tensor(3), "version": torch.zeros(())},
    "the same twice": lambda s: {"a": s, "b": dict(s)},
    "a prefix, of before the counters": lambda s: (
        {f"encoder.{key}": tensor for key, tensor in s.items() if "num_batches" not in key}
        | {"decoder.weight": torch.ones(3)}
    ),
    "observers of quantisation": lambda s: (
        s | {"layer1.0.conv1.activation_post_process.scale": torch.ones(1)}
    ),
    "three levels deep": lambda s: {"run": {"ema": {"shadow": OrderedDict(s)}}},
    "in a list": lambda s: [3, {"net": s}],
    "a prefix of lightning": lambda s: {
        "state_dict": prefixed(s, "net.backbone.") | {"loss.weight": torch.ones(7)},
        "pytorch-lightning_version": "2.5",
    },
    "two prefixes around all": lambda s: {"net": prefixed(s, "module.encoder.")},
    "an average beside, meant less": lambda s: {
        "model": s,
        "model_ema": network(2).state_dict(),
        "state_dict_of_ema": network(3).state_dict(),
    },
}


@pytest.mark.filterwarnings("ignore::res2net.weights.PartsLeftOut")
@pytest.mark.parametrize("wrapping", WRAPPINGS)
def test_weights_are_found_in(wrapping: str, tmp_path: Path) -> None:
    state = network().state_dict()
    path = tmp_path / "checkpoint.pth"
    torch.save(WRAPPINGS[wrapping](dict(state)), path)
    found = build(NAME, seed=9, weights=path).state_dict()
    assert list(found) == list(state)
    for key, tensor in state.items():
        counted = key.endswith("num_batches_tracked") and "before the counters" in wrapping
        assert torch.equal(found[key], torch.zeros_like(tensor) if counted else tensor)


def profiled(state: State) -> State:
    """As thop leaves it: two numbers beside the weights of every module, and of the whole."""
    owners = {key.rpartition(".")[0] for key in state} | {"layer1", "act"}
    numbers = {f"{owner}.{name}" for owner in owners for name in ("total_ops", "total_params")}
    return state | {key: torch.zeros(1) for key in ("total_ops", "total_params", *numbers)}


@pytest.mark.parametrize(
    ("add", "named"),
    [
        (profiled, "total_ops, total_params"),
        (lambda s: prefixed(profiled(s), "module."), "total_ops, total_params"),
        (lambda s: s | {"epoch": 3, "arch": "res2net"}, "arch, epoch"),
        (lambda s: prefixed(s, "net.") | {"loss.weight": torch.ones(7)}, "loss"),
    ],
)
def test_what_lies_beside_the_weights_is_named(
    add: Callable[[State], object], named: str, tmp_path: Path
) -> None:
    state = network().state_dict()
    path = tmp_path / "checkpoint.pth"
    torch.save(add(dict(state)), path)
    with pytest.warns(PartsLeftOut, match=rf"the network does not have: {named}$"):
        found = build(NAME, weights=path).state_dict()
    assert all(torch.equal(found[key], tensor) for key, tensor in state.items())


@pytest.mark.parametrize("suffix", [".safetensors", ".bin"])
def test_a_profiler_s_numbers_in_other_files(suffix: str, tmp_path: Path) -> None:
    state, path = network().state_dict(), tmp_path / f"checkpoint{suffix}"
    save = safetensors.torch.save_file if suffix == ".safetensors" else torch.save
    save(profiled(dict(state)), path)
    with pytest.warns(PartsLeftOut):
        found = build(NAME, weights=path).state_dict()
    assert all(torch.equal(found[key], tensor) for key, tensor in state.items())


def test_which_of_two_is_meant_is_asked(tmp_path: Path) -> None:
    path = tmp_path / "two.pth"
    torch.save({"net": network().state_dict(), "net_ema": network(2).state_dict()}, path)
    with pytest.raises(
        WeightsError, match=r"contains 2 sets of weights that fit: 'net', 'net_e"
    ):
        build(NAME, weights=path)
    torch.save({**prefixed(network().state_dict(), "q."), **network(2).state_dict()}, path)
    with pytest.raises(WeightsError, match=r"two.pth: not the weights(.|\n)*unexpected: q\."):
        build(NAME, weights=path)


def test_where_none_fits_the_closest_is_told_and_nothing_is_copied(tmp_path: Path) -> None:
    state = network().state_dict()
    state["layer2.0.bn1.weight"] = torch.ones(3)
    path = tmp_path / "near.pth"
    torch.save({"net": state, "small": {"x": torch.ones(2)}}, path)
    with pytest.raises(WeightsError) as told:
        build(NAME, weights=path)
    assert str(told.value).startswith(f"{path} (in 'net'): not the weights of res2net11_3w4s")
    assert "layer2.0.bn1.weight (3, should be 24)" in str(told.value)


def test_a_mapping_that_holds_itself_is_walked_once(tmp_path: Path) -> None:
    state = network().state_dict()
    around: dict[str, Any] = {"net": state}
    around["self"] = around
    torch.save(around, tmp_path / "loop.pth")
    found = build(NAME, weights=tmp_path / "loop.pth").state_dict()
    assert all(torch.equal(found[key], tensor) for key, tensor in state.items())


def test_a_path_has_a_home_and_variables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = network().state_dict()
    torch.save(state, tmp_path / "w.pth")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("WD", str(tmp_path))
    for path in ("~/w.pth", "$WD/w.pth", "${WD}/w.pth"):
        found = build(NAME, weights=path).state_dict()
        assert torch.equal(found["conv1.weight"], state["conv1.weight"])


def test_a_module_saved_whole_is_refused_with_the_line_to_write(tmp_path: Path) -> None:
    path = tmp_path / "module.pth"
    torch.save({"model": network()}, path)
    with pytest.raises(WeightsError, match=r"torch.save\(model.state_dict\(\), ...\)"):
        build(NAME, weights=path)


DONE = {
    (3, 1): "summed", (3, 4): "repeated and scaled", (3, 5): "repeated and scaled",
    (1, 3): "repeated and scaled", (4, 3): "cut and scaled", (6, 4): "cut and scaled",
}  # fmt: skip


@pytest.mark.parametrize(("before", "after"), [(3, 1), (3, 4), (3, 5), (1, 3), (4, 3), (6, 4)])
@pytest.mark.parametrize("name", ["resnet1.1.1.1_8w_8p", "res2net1.1.1.1_4w4s_v1b_8p"])
def test_a_stem_is_adapted_as_timm_does(
    name: str, before: int, after: int, tmp_path: Path
) -> None:
    manipulate = pytest.importorskip("timm.models._manipulate")
    state = build(f"{name}_{before}channels", seed=1).state_dict()
    path = tmp_path / "published.pth"
    torch.save({"net": state}, path)
    with pytest.warns(
        StemAdapted, match=rf"images of {before} channels; .* {DONE[before, after]} to {after}$"
    ):
        found = build(name, channels=after, weights=path).state_dict()
    key = next(iter(state))
    if before == 3:  # all that timm knows
        expected = manipulate.adapt_input_conv(after, state[key])
    else:
        expected = state[key].repeat(1, 3, 1, 1)[:, :after] * before / after
    assert torch.allclose(found.pop(key), expected)
    assert all(torch.equal(found[name], state[name]) for name in found)


def test_grey_images_say_the_same_to_a_summed_stem(tmp_path: Path) -> None:
    torch.save(network().state_dict(), tmp_path / "colour.pth")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", StemAdapted)
        warnings.simplefilter("error", HeadDropped)
        grey = build(f"{NAME}_1channels", weights=tmp_path / "colour.pth").eval()
    image = torch.randn(1, 1, 16, 16)
    expected = network().eval()(image.expand(-1, 3, -1, -1))
    assert torch.allclose(grey(image), expected, rtol=1e-4, atol=1e-5)
