"""Training against plain torch: same batches, same schedule, same weights."""

import copy
import random
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import AdamW
from torch.optim.lr_scheduler import CosineAnnealingLR

from res2net import Architecture, build, parse
from search.engine.execution import Prepared
from search.engine.training import Trainer
from search.images.augmentation import Targets
from search.images.splits import Split, Splits
from search.schema.seeds import seed_of
from search.study.events import Epoch
from search.tasks.base import DivergedError, Forward
from search.tasks.classification import Classification, ImageBatch
from search.tasks.loss import mixed_loss
from tests.search.engine.benches import bench_on, recipe

NETWORK = parse("res2next11_2c2w3s_4p_4classes")
# Everything that holds a state of its own.
ALL = {
    "crop": 1,
    "flip": True,
    "ema": 0.9,
    "clip": 1.0,
    "mixup": 0.2,
    "jitter": (0.2, 0.2, 0.2, 0.1),
    "erasing": 0.5,
    "label_smoothing": 0.1,
    "accumulate": 2,
    "warmup": 1.0,
}

pytestmark = pytest.mark.usefixtures("one_thread")


def random_splits(
    images: int = 96, side: int = 8, classes: int = 4, held_out: int = 40
) -> Splits:
    generator = torch.Generator().manual_seed(0)

    def split(count: int) -> Split:
        pixels = torch.randint(0, 256, (count, side, side, 3), generator=generator)
        labels = torch.randint(0, classes, (count,), generator=generator)
        return Split(pixels.to(torch.uint8), torch.arange(count), labels)

    train = split(images)
    assert isinstance(train.images, torch.Tensor)
    pixels = train.images.reshape(-1, 3).float()
    return Splits(train, split(held_out), split(50), pixels.mean(0), pixels.std(0))


def trainer(architecture: Architecture = NETWORK, **changes: object) -> Trainer:
    training = recipe(**changes)
    bench = bench_on(training, random_splits())
    return Trainer(
        architecture, bench, epochs=training.epochs, seed=5, pieces=training.accumulate
    )


def next_epoch(ours: Trainer) -> Epoch:
    epoch = ours.epoch(trial=0)
    assert epoch is not None
    return epoch


def plain_losses(epochs: int, lr: float) -> tuple[nn.Module, list[float]]:
    """The loop as most people write it: torch's scheduler, one loss.item() a step."""
    splits = random_splits()
    network = build(NETWORK, seed=seed_of(5, "weights")).double()
    optimizer = torch.optim.SGD(
        network.parameters(), lr=lr, momentum=0.9, nesterov=True, weight_decay=5e-4
    )
    schedule = CosineAnnealingLR(optimizer, T_max=epochs * 3)
    mean, std = splits.mean.double().view(3, 1, 1), splits.std.double().view(3, 1, 1)
    losses = []
    for epoch in range(1, epochs + 1):
        generator = torch.Generator().manual_seed(seed_of(5, "epoch", epoch))
        for batch in torch.randperm(96, generator=generator).split(32):
            images = (splits.train.images[batch].permute(0, 3, 1, 2).double() - mean) / std
            loss = F.cross_entropy(network(images), splits.train.labels[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            losses.append(loss.item())
    return network, losses


def test_fifty_losses_are_those_of_a_plain_loop() -> None:
    """In float64, to 1e-6, step by step."""
    ours = trainer(lr=0.05, precision="fp64", epochs=17)
    losses, task = [], ours._task
    of_piece = task.loss

    def loss(forward: Forward, piece: ImageBatch) -> torch.Tensor:
        losses.append(of_piece(forward, piece))
        return losses[-1]

    task.loss = loss  # type: ignore[method-assign]
    for _ in range(17):
        next_epoch(ours)
    network, expected = plain_losses(17, lr=0.05)
    assert len(expected) == 51
    assert torch.stack(losses).tolist() == pytest.approx(expected, rel=1e-6)
    theirs = network.state_dict()
    learned = ours.trained.state_dict()
    assert list(learned) == list(theirs)
    for name, tensor in learned.items():
        assert torch.allclose(tensor, theirs[name], rtol=1e-6, atol=1e-9), name


def test_parts_of_a_batch_have_the_gradient_of_the_whole() -> None:
    """Where norms do not look at the batch: frozen, the weights move alike to 1e-12."""

    def moved(parts: int) -> dict[str, torch.Tensor]:
        ours = trainer(precision="fp64", batch_size=30, accumulate=parts)
        network = ours._network
        network.train = lambda _=True: nn.Module.train(network, mode=False)  # type: ignore[method-assign]
        next_epoch(ours)
        state: dict[str, torch.Tensor] = ours.state()["network"]
        return state

    whole, cut = moved(1), moved(4)
    assert all(torch.allclose(whole[key], cut[key], rtol=1e-12) for key in whole)


class _Captured(torch.autograd.Function):
    """A pass whose gradients lie in the same memory each time, as a CUDA graph's do."""

    @staticmethod
    def forward(
        ctx: Any, pass_: Callable[..., Any], memory: list[Tensor], *inputs: Tensor
    ) -> Tensor:
        ctx.memory = memory
        ctx.parameters = inputs[1:]
        with torch.enable_grad():
            ctx.output = pass_(inputs[0])
        return ctx.output.detach()

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Any:
        for kept, new in zip(
            ctx.memory, torch.autograd.grad(ctx.output, ctx.parameters, gradient), strict=True
        ):
            kept.copy_(new)
        return None, None, None, *(kept.detach() for kept in ctx.memory)


@pytest.mark.parametrize("parts", [1, 3])
def test_gradients_in_the_same_memory_each_time_add_up(parts: int) -> None:
    """Of the parts of a batch, and not of one batch and the next."""

    def moved(execution: str) -> dict[str, Tensor]:
        ours = trainer(precision="fp64", lr=0.01, accumulate=parts, clip=1.0)
        network = ours._network
        parameters = list(network.parameters())
        memory = [torch.full_like(one, torch.nan) for one in parameters]

        def forward(images: Tensor) -> Any:
            if execution == "eager":
                return network(images)
            return _Captured.apply(network, memory, images, *parameters)

        ours._prepared = Prepared(forward, execution, 0.0)  # type: ignore[arg-type]
        for _ in range(2):
            next_epoch(ours)
        state: dict[str, Tensor] = ours.state()["network"]
        return state

    eager, captured = moved("eager"), moved("graphs")
    assert all(torch.allclose(eager[key], captured[key], rtol=1e-9) for key in eager)


class _Sum(torch.autograd.Function):
    """Two parameters of which only the sum is used; a graph has one gradient for both."""

    @staticmethod
    def forward(ctx: Any, memory: Tensor, one: Tensor, two: Tensor) -> Tensor:
        ctx.memory = memory
        return (one + two).sum().detach()

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, _: Tensor) -> Any:
        return None, ctx.memory.detach(), ctx.memory.detach()


def test_two_parameters_do_not_share_a_gradient_which_clipping_would_scale_twice() -> None:
    ours = trainer()
    norm = next(one for one in ours._network.modules() if isinstance(one, nn.BatchNorm2d))
    one, two = norm.weight, norm.bias
    memory = torch.ones_like(one)
    ours._prepared = Prepared(ours._network, "graphs", 0.0)
    ours._task.loss = lambda *_: _Sum.apply(memory, one, two)  # type: ignore[method-assign]
    ours._backward(next(ours._task.batches(torch.Generator(), start=0)))
    assert one.grad is not None
    assert two.grad is not None
    one.grad.mul_(0.5)
    assert torch.equal(two.grad, torch.ones_like(two))


def test_adamw_is_torch_s_and_spares_norms_and_biases() -> None:
    ours = trainer(optimizer="adamw", lr=0.01, weight_decay=0.1, decay_norms=False)
    assert isinstance(ours._optimizer, AdamW)
    decayed, kept = ours._optimizer.param_groups
    assert (decayed["weight_decay"], kept["weight_decay"]) == (0.1, 0.0)
    assert all(parameter.ndim > 1 for parameter in decayed["params"])
    assert all(parameter.ndim == 1 for parameter in kept["params"])
    known = len(decayed["params"]) + len(kept["params"])
    assert known == len(list(ours._network.parameters()))


def test_the_average_is_what_is_validated_and_moves_as_the_formula_says() -> None:
    ours = trainer(ema=0.5, batch_size=96, lr=0.01)  # one step an epoch
    seen = []
    for _ in range(3):
        next_epoch(ours)
        seen.append(ours.state()["network"]["fc.weight"].clone())
    expected = seen[0]  # it begins as the weights after the first step
    for weights in seen[1:]:
        expected = 0.5 * expected + 0.5 * weights
    average = ours.state()["average"]["network"]["fc.weight"]
    assert torch.allclose(average, expected, rtol=1e-5)
    assert ours._average is not None
    kept = ours.trained.state_dict()["fc.weight"]
    assert torch.equal(kept, ours._average.network.state_dict()["fc.weight"])
    with torch.no_grad():
        assert ours.scores("test") == ours._task.scores(ours._average.network, "test")


def test_clipping_limits_the_gradient() -> None:
    free = trainer(momentum=0, nesterov=False)
    clipped = trainer(momentum=0, nesterov=False, clip=1e-3, weight_decay=0)
    bound = 3 * 0.1 * 1e-3  # steps, largest rate, largest gradient
    moved = []
    for one in (free, clipped):
        before = one.state()["network"]["fc.weight"].clone()
        next_epoch(one)
        moved.append((one.state()["network"]["fc.weight"] - before).norm().item())
    assert moved[0] > bound
    assert bound / 20 < moved[1] <= 1.001 * bound


def test_the_same_arguments_give_the_same_weights_whatever_was_before() -> None:
    first = trainer(**ALL)
    torch.manual_seed(123)
    second = trainer(**ALL)
    for _ in range(3):
        assert strip(next_epoch(first)) == strip(next_epoch(second))
    assert first.scores("test") == second.scores("test")


def strip(epoch: Epoch) -> dict[str, float]:
    return epoch.metrics


@pytest.mark.parametrize(
    "changes",
    [
        {},
        ALL,
        pytest.param({"precision": "bf16"}, marks=pytest.mark.slow),
        pytest.param({"optimizer": "adamw"}, marks=pytest.mark.slow),
    ],
)
def test_interrupted_at_a_random_step_the_weights_are_bit_identical(
    changes: dict[str, object],
) -> None:
    """Four times for each recipe; every turn of no time is one step, of which there are 12."""
    whole = trainer(batch_size=16, **changes)
    expected = [strip(next_epoch(whole)) for _ in range(2)]
    weights = whole.state()
    for stop in random.Random(0).sample(range(1, 12), 4):
        ours = trainer(batch_size=16, **changes)
        seen = []
        for _ in range(stop):
            epoch = ours.epoch(trial=0, seconds=0)
            seen += [strip(epoch)] if epoch else []
        state = copy.deepcopy(ours.state())
        resumed = trainer(batch_size=16, **changes)
        resumed.load_state(state)
        while len(seen) < 2:
            seen.append(strip(next_epoch(resumed)))
        assert seen == expected
        assert_equal(resumed.state()["network"], weights["network"])
        if weights["average"]:
            assert_equal(resumed.state()["average"]["network"], weights["average"]["network"])


def assert_equal(ours: dict[str, torch.Tensor], theirs: dict[str, torch.Tensor]) -> None:
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[key], theirs[key]) for key in ours)


def test_errors_are_counted_over_every_image_whatever_the_batch() -> None:
    ours = trainer()
    next_epoch(ours)
    splits = random_splits()
    network = ours._network.eval()
    assert isinstance(splits.test.images, torch.Tensor)
    task = ours._task
    assert isinstance(task, Classification)
    with torch.no_grad():
        logits = network(task.augmentation.plain(splits.test.images))
    wrong = (logits.argmax(1) != splits.test.labels).double().mean().item()
    assert ours.scores("test") == pytest.approx({"error": 100 * wrong, "error_top5": 0.0})
    with torch.no_grad():
        few = task._errors(network, task._scored["test"], 7)
    assert few == ours.scores("test")


def test_bf16_runs_its_convolutions_in_bf16() -> None:
    ours = trainer(precision="bf16")
    seen = []
    hook = ours._network.layer1[0].conv1.register_forward_hook(
        lambda _module, _inputs, output: seen.append(output.dtype)
    )
    next_epoch(ours)
    hook.remove()
    assert set(seen) == {torch.bfloat16}


def test_mixed_losses_are_cross_entropy_of_mixed_targets() -> None:
    """Torch's own, of class probabilities."""
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(6, 4, generator=generator, dtype=torch.float64)
    labels, partners = torch.randint(4, (2, 6), generator=generator)
    weight = torch.rand(6, generator=generator)
    hot = [F.one_hot(each, 4).double() for each in (labels, partners)]
    shares = weight[:, None] * hot[0] + (1 - weight[:, None]) * hot[1]
    for smoothing in (0.0, 0.1):
        ours = mixed_loss(logits, Targets(labels, partners, weight), smoothing=smoothing)
        theirs = F.cross_entropy(logits, shares, label_smoothing=smoothing)
        assert ours.item() == pytest.approx(theirs.item(), rel=1e-6)


def test_a_loss_that_is_no_number_is_said() -> None:
    with pytest.raises(DivergedError, match=r"the training loss of epoch 1 is (nan|inf)"):
        next_epoch(trainer(lr=1e30))


def test_a_small_training_set_is_one_batch() -> None:
    ours = trainer(batch_size=1000)
    next_epoch(ours)
    assert ours._optimizer.state[ours._optimizer.param_groups[0]["params"][0]]
    assert ours._task.batch_size == 96


@pytest.mark.slow
def test_compiled_training_is_the_same_to_rounding() -> None:
    eager, compiled = trainer(lr=0.01), trainer(lr=0.01, execution="compile")
    for _ in range(2):
        a, b = next_epoch(eager), next_epoch(compiled)
        assert a.metrics["train_loss"] == pytest.approx(b.metrics["train_loss"], rel=1e-4)
    assert (eager.execution, eager.preparation) == ("eager", 0.0)
    assert compiled.execution == "compile"
    assert compiled.preparation > 0


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
@pytest.mark.filterwarnings("default")  # torch warns of itself there
@pytest.mark.parametrize("pieces", [1, 2])
@pytest.mark.parametrize("execution", ["graphs", "compile"])
def test_on_a_gpu_every_execution_trains_alike(
    monkeypatch: pytest.MonkeyPatch, execution: str, pieces: int
) -> None:
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)  # it rounds to 10 bits

    def losses(how: str) -> list[float]:
        training = recipe(lr=0.01, execution=how, accumulate=pieces, epochs=2, ema=0.9)
        bench = bench_on(training, random_splits(), torch.device("cuda"))
        ours = Trainer(NETWORK, bench, epochs=2, seed=5, pieces=pieces)
        seen = [next_epoch(ours).metrics["train_loss"] for _ in range(2)]
        assert ours.execution == how
        return seen

    assert losses(execution) == pytest.approx(losses("eager"), rel=1e-3)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
@pytest.mark.filterwarnings("default")  # torch warns of itself there
def test_on_a_gpu_a_network_that_looks_at_its_values_trains_eagerly(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def look(_: nn.Module, inputs: tuple[Tensor]) -> None:
        inputs[0].sum().item()

    def looking(architecture: Architecture, **rest: Any) -> nn.Module:
        network = build(architecture, **rest)
        next(network.children()).register_forward_pre_hook(look)
        return network

    monkeypatch.setattr("search.tasks.classification.build", looking)
    monkeypatch.setattr("search.engine.training.chosen", lambda *_, **__: "graphs")
    bench = bench_on(recipe(lr=0.01, epochs=2), random_splits(), torch.device("cuda"))
    for _ in range(2):  # the next trial of the process does so too
        ours = Trainer(NETWORK, bench, epochs=2, seed=5)
        assert next_epoch(ours).metrics["train_loss"] > 0
        assert ours.execution == "eager"
