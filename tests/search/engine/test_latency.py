"""What is measured of a network, from the worker's side."""

from dataclasses import replace

import pytest
import torch

from res2net import parse
from search.engine.bench import Bench
from search.engine.latency import is_alone, measured_of
from search.space.configuration import architecture_to_json
from search.study.events import Started
from tests.search.engine.benches import bench_on, recipe, synthetic
from tests.search.spaces import started_fields


@pytest.fixture(autouse=True)
def _briefly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Timed for a tenth of a second; how often does not matter here."""
    monkeypatch.setattr("search.engine.latency._SECONDS", 0.1)


NETWORK = parse("res2next11_2c2w3s_2p_4classes")
NAMES = ("latency", "latency_128", "throughput", "inference_memory")


def bench_of(**changes: object) -> Bench:
    bench = bench_on(recipe(**changes), synthetic())
    return bench._replace(measured=NAMES, resolution=16, image_size=(16, 16))


def started(**changes: object) -> Started:
    described = {"name": NETWORK.name, "architecture": architecture_to_json(NETWORK)}
    return Started(**started_fields(**described, **changes))


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_what_is_measured_goes_together(precision: str) -> None:
    found = measured_of(started(), bench_of(precision=precision))
    assert tuple(found.values) == NAMES
    assert found.place["precision"] == precision
    latency, rate = found.values["latency_128"], found.values["throughput"]
    assert rate == pytest.approx(128 / (latency / 1000))
    assert found.low["throughput"] <= rate <= found.high["throughput"]
    assert found.values["latency"] < latency
    # A layer's output is of 128 images, and the first one has 2 planes of 16 x 16 each.
    assert found.values["inference_memory"] > 128 * 2 * 16 * 16 * 2


@pytest.mark.slow
def test_another_place_or_more_that_is_wanted_is_measured_anew() -> None:
    bench = bench_of()
    first = measured_of(started(), bench)
    again = measured_of(started(trial=7), bench, [first])
    assert again == replace(first, trial=7)
    less = replace(first, values={"latency": 1.0})
    elsewhere = replace(first, place=first.place | {"device": "another"})
    threads = replace(first, place=first.place | {"threads": 2})
    anew = measured_of(started(trial=8), bench, [less, elsewhere, threads])
    assert anew.first == 8
    assert tuple(anew.values) == NAMES


def test_who_has_a_device_to_itself() -> None:
    cpu = bench_of()
    assert is_alone(cpu, 0.0) is True
    assert is_alone(cpu, 1.3) is False
    assert is_alone(cpu, None) is None
    gpu = cpu._replace(device=torch.device("cuda"))
    assert is_alone(gpu, 1.3) is True
    assert is_alone(gpu._replace(share=0.5), 0.0) is False
