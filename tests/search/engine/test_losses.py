"""Losses of several parts: their sum is trained on, and each is told; frozen weights stay."""

import copy

import pytest
import torch
from torch import Tensor, nn

from res2net import parse
from res2net.plugins import PluginError
from search.engine.optimizer import make_optimizer
from search.engine.training import Trainer
from search.images.splits import Splits
from search.tasks.base import Forward, named_losses
from search.tasks.classification import ImageBatch
from tests.search.engine.benches import bench_on, recipe, synthetic

NETWORK = parse("res2next11_2c2w3s_2p_4classes")

pytestmark = pytest.mark.usefixtures("one_thread")


def trainer(splits: Splits, *, several: bool) -> Trainer:
    training = recipe(batch_size=96, accumulate=2)
    bench = bench_on(training, splits)
    whole = bench.task.loss

    def parts(forward: Forward, piece: ImageBatch) -> dict[str, Tensor]:
        loss = whole(forward, piece)
        return {"quarter": loss / 4, "rest": loss * 3 / 4}

    if several:
        bench.task.loss = parts  # type: ignore[method-assign]
    return Trainer(NETWORK, bench, epochs=3, seed=5)


def test_of_several_losses_the_sum_is_trained_on_and_each_is_told() -> None:
    splits = synthetic()
    one, several = trainer(splits, several=False), trainer(splits, several=True)
    alone, parts = one.epoch(trial=0), several.epoch(trial=0)
    assert alone is not None
    assert parts is not None
    whole = alone.metrics["train_loss"]
    assert list(alone.metrics) == ["train_loss", "val_error", "val_error_top5"]
    assert list(parts.metrics)[:3] == ["train_loss", "train_quarter", "train_rest"]
    assert parts.metrics["train_loss"] == pytest.approx(whole, rel=1e-5)
    assert parts.metrics["train_quarter"] == pytest.approx(whole / 4, rel=1e-5)
    assert parts.metrics["train_rest"] == pytest.approx(whole * 3 / 4, rel=1e-5)


def test_several_losses_go_on_in_the_middle_of_an_epoch() -> None:
    splits = synthetic()
    whole = trainer(splits, several=True).epoch(trial=0)
    stopped, resumed = trainer(splits, several=True), trainer(splits, several=True)
    assert stopped.epoch(trial=0, seconds=0) is None
    resumed.load_state(copy.deepcopy(stopped.state()))
    rest = resumed.epoch(trial=0)
    assert whole is not None
    assert rest is not None
    assert rest.metrics == whole.metrics


@pytest.mark.parametrize(("losses", "said"), [({}, "none"), ({"loss": 1}, "loss")])
def test_losses_that_cannot_be_told_apart_are_refused(
    losses: dict[str, Tensor], said: str
) -> None:
    with pytest.raises(PluginError, match=f"its losses are {said}; return at least one"):
        named_losses(losses)


def test_weights_without_a_gradient_are_left_out_of_the_optimiser() -> None:
    network = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    network[0].requires_grad_(requires_grad=False)
    frozen = copy.deepcopy(network[0].state_dict())
    optimizer = make_optimizer(network, recipe())
    held = [one for group in optimizer.param_groups for one in group["params"]]
    assert [one.shape for one in held] == [torch.Size([2, 2]), torch.Size([2])]
    network(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    assert all(torch.equal(network[0].state_dict()[key], frozen[key]) for key in frozen)
