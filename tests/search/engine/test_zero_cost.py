"""Scores of untrained networks, against their papers' own words and by hand."""

import math
from typing import Any

import pytest
import torch
from torch import nn

from res2net import Architecture, build, parse
from search.engine.bench import Bench
from search.engine.latency import measured_of
from search.engine.zero_cost import Scores, scores_of
from search.schema.metrics import SCORES
from search.schema.seeds import seed_of
from search.space.configuration import architecture_to_json
from search.study.events import Started
from tests.search.engine.benches import bench_on, recipe, synthetic
from tests.search.spaces import started_fields

NETWORK = parse("res2next11_2c2w3s_2p_4classes")


def bench_of(*scores: str, **changes: Any) -> Bench:
    bench = bench_on(recipe(**changes), synthetic())
    return bench._replace(scores=scores or tuple(SCORES), resolution=16, image_size=(16, 16))


def started(network: Architecture = NETWORK, **changes: Any) -> Started:
    fields = started_fields(name=network.name, **changes)
    return Started(**fields | {"architecture": architecture_to_json(network)})


def minibatch(bench: Bench, seed: int) -> Any:
    generator = torch.Generator().manual_seed(seed_of(seed, "scores"))
    return next(bench.task.batches(generator, start=0))


def test_naswot_is_the_log_determinant_of_common_codes() -> None:
    """For each two images the ReLUs on which they agree, counted one by one."""
    bench = bench_of("naswot", batch_size=8)
    network = build(NETWORK, seed=seed_of(1, "weights")).train()
    codes: list[torch.Tensor] = []
    for module in network.modules():
        if isinstance(module, nn.ReLU):
            module.register_forward_hook(lambda *a: codes.append((a[2] > 0).flatten(1)))
    network(minibatch(bench, 1).images)
    whole = torch.cat(codes, dim=1)
    kernel = [[float((one == other).sum()) for other in whole] for one in whole]
    expected = torch.linalg.slogdet(torch.tensor(kernel, dtype=torch.float64)).logabsdet
    assert scores_of(started(), bench).values["naswot"] == pytest.approx(float(expected))


def test_grad_norm_adds_up_the_norms_of_layers() -> None:
    bench = bench_of("grad_norm", batch_size=8)
    network = build(NETWORK, seed=seed_of(1, "weights")).train()
    bench.task.loss(network, minibatch(bench, 1)).backward()
    kinds = (nn.Conv2d, nn.Linear)
    layers = [one for one in network.modules() if isinstance(one, kinds)]
    expected = sum(float(one.weight.grad.norm()) for one in layers)  # type: ignore[union-attr]
    found = scores_of(started(), bench).values["grad_norm"]
    assert found == pytest.approx(expected, rel=1e-5)


def test_synflow_is_what_a_weight_moves_when_all_are_positive() -> None:
    """w dR/dw of the weights of one layer by finite differences: R is linear in each of them.

    All layers' flows add up; the classifier's is R itself, less its bias.
    """
    small = Architecture(depth=11, planes=2, width=1, classes=4)
    network = build(small, seed=seed_of(1, "weights")).double().eval()
    with torch.no_grad():
        for module in [*network.modules()]:
            for name, child in module.named_children():
                if isinstance(child, nn.BatchNorm2d):
                    setattr(module, name, nn.Identity())
        for parameter in network.parameters():
            parameter.abs_()
        ones = torch.ones(1, small.channels, 16, 16, dtype=torch.float64)

        def whole() -> float:
            return float(network(ones).sum())

        flow, before = 0.0, whole()
        for layer in network.modules():
            if isinstance(layer, (nn.Conv2d, nn.Linear)):
                kept = layer.weight.clone()
                layer.weight.mul_(1 + 1e-6)  # the sum of all w dR/dw of the layer
                flow += (whole() - before) / 1e-6
                layer.weight.copy_(kept)
    found = scores_of(started(small), bench_of("synflow")).values["synflow"]
    assert found == pytest.approx(math.log(flow), rel=1e-5)


def test_scores_are_a_function_of_the_trial() -> None:
    """Of its seed too; not of the order of the scores, nor of what else is drawn."""
    first = scores_of(started(), bench_of())
    torch.manual_seed(12345)
    state = torch.random.get_rng_state()
    again = scores_of(started(trial=7), bench_of(*reversed(SCORES)))
    assert torch.equal(torch.random.get_rng_state(), state), "nobody else's draws move"
    assert first.values == again.values
    assert first.seconds.keys() == {*SCORES}
    other = scores_of(started(seed=2), bench_of())
    assert all(first.values[name] != other.values[name] for name in SCORES)


def test_a_score_that_is_no_number_is_left_out() -> None:
    """Pixels that are all alike give all images one code, whose kernel has no inverse."""
    bench = bench_of("naswot", batch_size=8)
    held = bench.task._train.store._images  # type: ignore[attr-defined]
    held.zero_()
    assert scores_of(started(), bench) == Scores({}, {"naswot": pytest.approx(0, abs=60)})


def test_another_seed_is_scored_anew_and_timed_once() -> None:
    bench = bench_of("naswot")._replace(measured=("latency",))
    first = measured_of(started(), bench)
    assert measured_of(started(), bench, [first]) is first, "the trial goes on"
    other = measured_of(started(trial=1, seed=2), bench, [first])
    assert other.values["latency"] == first.values["latency"]
    assert other.values["naswot"] != first.values["naswot"]
    scored = measured_of(started(), bench._replace(measured=()))
    assert (scored.alone, scored.others, {*scored.values}) == (None, None, {"naswot"})
