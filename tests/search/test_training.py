"""Training against plain torch: same batches, same schedule, same weights."""

import copy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F
from torch.optim.lr_scheduler import CosineAnnealingLR, MultiStepLR
from torchvision.transforms.v2.functional import crop, hflip

from res2net import Architecture, build, parse
from search.augmentation import Augmentation, normalise
from search.config import Training
from search.data import Split, Splits
from search.records import Epoch
from search.seeds import seed_of
from search.training import Bench, DivergedError, Trainer, learning_rate

NETWORK = parse("res2next11_2c2w3s_4p_4classes")
CPU = torch.device("cpu")


def random_splits(images: int = 96, side: int = 8, classes: int = 4) -> Splits:
    generator = torch.Generator().manual_seed(0)

    def split(count: int) -> Split:
        pixels = torch.randint(0, 256, (count, side, side, 3), generator=generator)
        labels = torch.randint(0, classes, (count,), generator=generator)
        return Split(pixels.to(torch.uint8), labels)

    train = split(images)
    pixels = train.images.reshape(-1, 3).float()
    return Splits(train, split(40), split(50), pixels.mean(0), pixels.std(0))


def recipe(**changes: object) -> Training:
    fields = {"epochs": 3, "batch_size": 32, "precision": "fp32", "crop": 0, "flip": False}
    return Training.model_validate(fields | changes)


def trainer(architecture: Architecture = NETWORK, **changes: object) -> Trainer:
    bench = Bench(recipe(**changes), random_splits(), device=CPU)
    return Trainer(architecture, bench, epochs=3, seed=5)


def plain_losses(epochs: int, lr: float) -> tuple[nn.Module, list[float]]:
    """The loop as most people write it: torch's scheduler, one loss.item() a step."""
    torch.set_num_threads(1)
    splits = random_splits()
    network = build(NETWORK, seed=seed_of(5, "weights"))
    optimizer = torch.optim.SGD(
        network.parameters(), lr=lr, momentum=0.9, nesterov=True, weight_decay=5e-4
    )
    schedule = CosineAnnealingLR(optimizer, T_max=3 * 3)
    mean, std = splits.mean.view(3, 1, 1), splits.std.view(3, 1, 1)
    losses = []
    for epoch in range(1, epochs + 1):
        generator = torch.Generator().manual_seed(seed_of(5, "epoch", epoch))
        total = 0.0
        for batch in torch.randperm(96, generator=generator).split(32):
            torch.randint(1, (2, 32, 1), generator=generator)  # the crops of no pixels
            images = (splits.train.images[batch].permute(0, 3, 1, 2).float() - mean) / std
            loss = F.cross_entropy(network(images), splits.train.labels[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item()
        losses.append(total / 3)
    return network, losses


def test_losses_are_those_of_a_plain_loop() -> None:
    torch.set_num_threads(1)
    ours = trainer(lr=0.05)
    losses = [ours.epoch(number, trial=0).train_loss for number in (1, 2, 3)]
    _, expected = plain_losses(3, lr=0.05)
    assert losses == pytest.approx(expected, rel=1e-4)


@settings(max_examples=50, deadline=None, derandomize=True)
@given(st.integers(1, 6), st.integers(1, 12), st.sampled_from(["cosine", "step"]))
def test_learning_rates_are_torch_s(epochs: int, steps: int, kind: str) -> None:
    training = recipe(epochs=epochs * 4, lr=0.3, schedule=kind, milestones=(0.5, 0.75))
    length = epochs * 4 * steps
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.3)
    schedule = (
        CosineAnnealingLR(optimizer, T_max=length)
        if kind == "cosine"
        else MultiStepLR(optimizer, [length // 2, length * 3 // 4], gamma=0.1)
    )
    for step in range(length):
        ours = learning_rate(training, step / steps, epochs * 4)
        assert ours == pytest.approx(schedule.get_last_lr()[0], rel=1e-6, abs=1e-12)
        optimizer.step()
        schedule.step()


def test_warmup_rises_from_zero_to_the_schedule() -> None:
    training = recipe(epochs=10, lr=0.4, schedule="step", warmup=2)
    rates = [learning_rate(training, epoch, 10) for epoch in (0, 0.5, 1, 2, 4.9, 5, 7.5)]
    assert rates == pytest.approx([0, 0.1, 0.2, 0.4, 0.4, 0.04, 0.004])


def test_each_image_is_cropped_and_mirrored_by_its_own_draw() -> None:
    """Every image of a batch is one of torchvision's crops of the padded original."""
    splits = random_splits(images=64)
    pad = 2
    augmentation = Augmentation(
        splits.train, mean=splits.mean, std=splits.std, crop=pad, flip=True
    )
    batch, labels = augmentation.batch(torch.arange(64), torch.Generator().manual_seed(1))
    assert torch.equal(labels, splits.train.labels)
    assert batch.is_contiguous(memory_format=torch.channels_last)
    normal = normalise(splits.train.images, splits.mean, splits.std)
    border = (splits.mean.round() - splits.mean) / splits.std
    seen = set()
    for image, original in zip(batch, normal, strict=True):
        padded = border.view(3, 1, 1).expand(3, 12, 12).clone()
        padded[:, pad:-pad, pad:-pad] = original
        matches = [
            (top, left, mirrored)
            for top in range(5)
            for left in range(5)
            for mirrored in (False, True)
            if torch.allclose(image, maybe(crop(padded, top, left, 8, 8), mirrored=mirrored))
        ]
        assert len(matches) == 1
        seen.add(matches[0])
    assert len({(top, left) for top, left, _ in seen}) > 10
    assert {mirrored for _, _, mirrored in seen} == {False, True}


def maybe(image: torch.Tensor, *, mirrored: bool) -> torch.Tensor:
    return hflip(image) if mirrored else image


def test_crops_and_mirrors_are_uniform() -> None:
    """Chi-squared over the 3 x 3 x 2 draws of 9,000 images, at one in a million."""
    from scipy.stats import chisquare  # noqa: PLC0415 - this test alone

    splits = random_splits(images=9000, side=3)
    augmentation = Augmentation(
        splits.train, mean=splits.mean, std=splits.std, crop=1, flip=True
    )
    rows, columns = augmentation._offsets(9000, torch.Generator().manual_seed(0))
    mirrored = (columns[:, 1] < columns[:, 0]).long()
    draw = rows[:, 0] * 6 + columns.min(1).values * 2 + mirrored
    assert chisquare(torch.bincount(draw, minlength=18).numpy()).pvalue > 1e-6


def test_the_same_arguments_give_the_same_weights_whatever_was_before() -> None:
    torch.set_num_threads(1)
    first = trainer(crop=1, flip=True)
    torch.manual_seed(123)
    second = trainer(crop=1, flip=True)
    for number in (1, 2, 3):
        assert strip(first.epoch(number, trial=0)) == strip(second.epoch(number, trial=0))
    assert first.test() == second.test()


def strip(epoch: Epoch) -> tuple[float, float, float]:
    return epoch.train_loss, epoch.val_error, epoch.val_error_top5


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_going_on_from_a_state_is_bit_identical(precision: str) -> None:
    torch.set_num_threads(1)
    whole = trainer(precision=precision, crop=1, flip=True)
    whole.epoch(1, trial=0)
    state = copy.deepcopy(whole.state())
    expected = [strip(whole.epoch(number, trial=0)) for number in (2, 3)]
    resumed = trainer(precision=precision, crop=1, flip=True)
    resumed.load_state(state)
    assert [strip(resumed.epoch(number, trial=0)) for number in (2, 3)] == expected
    ours, theirs = whole.state()["network"], resumed.state()["network"]
    assert all(torch.equal(ours[key], theirs[key]) for key in ours)


def test_errors_are_counted_over_every_image() -> None:
    ours = trainer()
    ours.epoch(1, trial=0)
    splits = random_splits()
    network = ours._network.eval()
    with torch.no_grad():
        logits = network(normalise(splits.test.images, splits.mean, splits.std))
    wrong = (logits.argmax(1) != splits.test.labels).double().mean().item()
    assert ours.test() == pytest.approx((100 * wrong, 0.0))


def test_bf16_runs_its_convolutions_in_bf16() -> None:
    ours = trainer(precision="bf16")
    seen = []
    hook = ours._network.layer1[0].conv1.register_forward_hook(
        lambda _module, _inputs, output: seen.append(output.dtype)
    )
    ours.epoch(1, trial=0)
    hook.remove()
    assert set(seen) == {torch.bfloat16}


def test_a_loss_that_is_no_number_is_said() -> None:
    with pytest.raises(DivergedError, match=r"the training loss of epoch 1 is (nan|inf)"):
        trainer(lr=1e30).epoch(1, trial=0)


def test_a_small_training_set_is_one_batch() -> None:
    ours = trainer(batch_size=1000)
    assert ours._batches(torch.Generator())[0].shape == (96,)
