"""The training section: the recipe of every trial of a study. No torch here.

`Training` is what a space file says, some keys with several values; `PlannedTraining` has one
value for each, and the data set's own augmentation where the file gives none.
"""

import math
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BeforeValidator,
    Field,
    PositiveFloat,
    PositiveInt,
    ValidationInfo,
    model_validator,
)

from search.schema.datasets import DATASETS
from search.schema.optimizers import OPTIMIZERS
from search.schema.parts import is_trusted
from search.schema.section import Section
from search.schema.settings import VARIABLE, Amounts, DepthRule, Lengths, Rates, Shares
from search.schema.values import MisfitError
from search.schema.wording import how_many

Fraction = Annotated[float, Field(ge=0, lt=1)]
NotNegative = Annotated[float, Field(ge=0)]
Share = Annotated[float, Field(gt=0, le=1)]
Precision = Literal["bf16", "fp32", "fp64"]
Chosen = Literal["bf16", "fp32"]
Execution = Literal["auto", "eager", "graphs", "compile"]


class Training(Section):
    """How a trial trains.

    Augmentation follows torchvision's definitions, with separate random draws for each image.
    """

    epochs: Lengths
    """Length of a trial. [epochs]"""
    batch_size: PositiveInt = 128
    """Images of one step of the optimiser. [images]"""
    accumulate: PositiveInt = 1
    """Pieces of a batch that pass the network one after another, to save memory; batch norms
    see the images of a piece, and in segmentation each piece counts by its images. [parts]
    """
    optimizer: Annotated[str, BeforeValidator(OPTIMIZERS.checked)] = "sgd"
    """The optimiser."""
    optimizer_options: dict[str, Any] = Field(default_factory=dict)
    """Keyword arguments of a foreign optimiser."""
    lr: Rates = 0.1
    """Highest learning rate, for batches of `lr_batch`."""
    lr_batch: PositiveInt | None = None
    """Batch size that `lr` is meant for; with another `batch_size` it is scaled linearly. Left
    out, `batch_size`. [images]
    """
    momentum: Shares = 0.9
    """Momentum of `sgd`."""
    nesterov: bool = True
    """Whether `sgd` uses Nesterov's momentum."""
    betas: tuple[Fraction, Fraction] = (0.9, 0.999)
    """Decay rates of the two averages of `adamw`."""
    weight_decay: Amounts = 5e-4
    """Weight decay."""
    decay_norms: bool = True
    """Whether weight decay also applies to norms and biases."""
    clip: PositiveFloat | None = None
    """Largest norm of the gradient; left out, it is not clipped."""
    ema: Fraction | None = None
    """Decay per step of averaged weights, which are then scored and kept; left out, weights are
    not averaged.
    """
    schedule: Literal["cosine", "step", "onecycle"] = "cosine"
    """How the learning rate changes over the training."""
    warmup: NotNegative = 0.0
    """Epochs over which the rate rises linearly from 0; `onecycle` has its own. [epochs]"""
    milestones: tuple[PositiveFloat, ...] = (0.5, 0.75)
    """When the schedule `step` multiplies the rate by `gamma`: shares of the training below 1,
    epochs above. [shares or epochs]
    """
    gamma: Annotated[float, Field(gt=0, lt=1)] = 0.1
    """Factor at each milestone."""
    label_smoothing: Fraction = 0.0
    """Share of each target that is divided among all classes."""
    precision: Precision | Literal["auto"] = "bf16"
    """Number format of the arithmetic; in `bf16` weights stay fp32, and `fp32` on a GPU is what
    torch makes of it: TF32 in convolutions. `auto` measures at the start whether `bf16` is
    clearly faster where trials run, and takes `fp32` if it is not.
    """
    execution: Execution = "auto"
    """`eager`, CUDA `graphs`, `compile`, or `auto`, which chooses by the training's length."""
    crop: Annotated[int, Field(ge=0)] | None = None
    """Padding on each side for random crops; not with `resized_crop`. Left out, as usual for
    the data set. [pixels]
    """
    flip: bool | None = None
    """Whether half of the images are mirrored; left out, as usual for the data set."""
    resized_crop: tuple[Share, Share] | None = None
    """Range of area of random resized crops, ratio 3/4 to 4/3, bilinear; left out, as usual for
    the data set. [share of the image]
    """
    jitter: tuple[
        NotNegative, NotNegative, NotNegative, Annotated[float, Field(ge=0, le=0.5)]
    ] = (
        0.0,
        0.0,
        0.0,
        0.0,
    )
    """Colour jitter of brightness, contrast, saturation and hue, as torchvision defines it."""
    cutout: Annotated[int, Field(ge=0)] = 0
    """Side of a square that is blanked; 0 for none. [pixels]"""
    erasing: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Probability of random erasing, as torchvision defines it."""
    mixup: NotNegative = 0.0
    """Alpha of mixup's Beta distribution, 0 for none; not with `cutmix`."""
    cutmix: NotNegative = 0.0
    """Alpha of cutmix's Beta distribution, 0 for none; not with `mixup`."""

    @property
    def varied(self) -> dict[str, tuple[float, ...]]:
        """The keys with several values, with these in ascending order."""
        written = {key: getattr(self, key) for key in VARIABLE}
        return {key: values for key, values in written.items() if isinstance(values, tuple)}

    @property
    def longest(self) -> int:
        """Epochs of the longest trial."""
        return max(self.epochs) if isinstance(self.epochs, tuple) else self.epochs

    def drops(self, epochs: int) -> tuple[float, ...]:
        """Epochs after which the step schedule multiplies the rate by `gamma`."""
        return tuple(round(m * epochs, 6) if m < 1 else m for m in self.milestones)

    def too_long(self, epochs: int) -> str:
        """Which part of the schedule does not fit into so many epochs; empty where all does."""
        if self.warmup >= epochs:
            return f"warmup {self.warmup:g} {_takes_all(epochs)}"
        late = [m for m in self.milestones if m >= max(1, epochs)]
        if self.schedule == "step" and late:
            shown = ", ".join(f"{m:g}" for m in late)
            return (
                f"milestones {shown} are beyond the {how_many(epochs, 'epoch')}; lower them, "
                "or write shares of the training such as [0.5, 0.75]"
            )
        return ""

    @model_validator(mode="after")
    def _coherent(self, info: ValidationInfo) -> Self:
        if is_trusted(info):
            return self
        self._check_length()
        self._check_optimizer()
        if 1 in self.milestones:
            raise MisfitError(
                "training.milestones",
                "contains 1, which could be a share or an epoch; leave it out, or write a "
                "share such as 0.1",
            )
        if any(m % 1 for m in self.milestones if m > 1):
            raise MisfitError(
                "training.milestones",
                "contains a fraction of an epoch; write whole epochs, or shares",
            )
        if self.schedule == "onecycle" and self.warmup:
            raise MisfitError("training.warmup", "is part of onecycle already; leave it out")
        if self.accumulate > self.batch_size:
            raise MisfitError(
                "training.accumulate",
                f"cuts a batch of {self.batch_size} into pieces of less than one image; lower "
                "it",
            )
        self._check_augmentation()
        return self

    def _check_optimizer(self) -> None:
        facts = OPTIMIZERS[self.optimizer]
        if self.optimizer_options and facts.options is not None:
            raise MisfitError(
                "training.optimizer_options",
                f"is only for an optimiser of your own; {self.optimizer} takes "
                f"{', '.join(facts.keys)}",
            )
        momenta = self.momentum if isinstance(self.momentum, tuple) else (self.momentum,)
        if "nesterov" in facts.keys and self.nesterov and 0 in momenta:
            raise MisfitError(
                "training.momentum",
                "leaves nesterov nothing to do; raise it, or set nesterov to false",
            )

    def _check_length(self) -> None:
        lengths = self.epochs if isinstance(self.epochs, tuple) else (self.epochs,)
        for epochs in lengths:
            problem = self.too_long(epochs)
            if problem and self.warmup >= epochs:
                raise MisfitError("training.warmup", _takes_all(epochs))
            if problem:
                raise MisfitError("training.milestones", f"are too late: {problem}")

    def _check_augmentation(self) -> None:
        if self.resized_crop and self.resized_crop[0] > self.resized_crop[1]:
            raise MisfitError("training.resized_crop", "is in descending order; swap the two")
        if self.resized_crop and self.crop:
            raise MisfitError("training.crop", "excludes resized_crop; leave one of them out")
        if self.mixup and self.cutmix:
            raise MisfitError("training.mixup", "excludes cutmix; leave one of them out")

    def steps(self, images: int) -> int:
        """Optimiser steps of one epoch: complete batches only, at least one."""
        return max(1, math.floor(images / self.batch_size))


class PlannedTraining(Training):
    """How a trial trains, in numbers, augmentation included."""

    epochs: PositiveInt
    precision: Precision = "bf16"
    lr: PositiveFloat = 0.1
    momentum: Fraction = 0.9
    weight_decay: NotNegative = 5e-4
    crop: Annotated[int, Field(ge=0)]
    flip: bool

    @property
    def peak_lr(self) -> float:
        """`lr`, scaled linearly from `lr_batch` to `batch_size` (Goyal et al., 2017)."""
        return self.lr * self.batch_size / (self.lr_batch or self.batch_size)

    def with_settings(self, settings: Mapping[str, float]) -> Self:
        """The same recipe with a trial's own settings, except its length."""
        keys = settings.keys() & {*VARIABLE} - {"epochs"}
        own: dict[str, Any] = {key: settings[key] for key in keys}
        return self.model_copy(update=own) if own else self


class ChosenPrecision(Section):
    """The choice for `precision: auto`, and the median step times in seconds behind it."""

    precision: Chosen
    bf16: float | None
    """None where the GPU does not support it."""
    fp32: float
    network: str
    """Name of the network that was trained."""
    device: str
    """Name of the GPU, or of the CPU."""

    @property
    def in_words(self) -> str:
        """What was measured, in a line."""
        if self.bf16 is None:
            return f"{self.device} does not support bf16"
        return (
            f"a training step of {self.network} takes {1000 * self.bf16:,.1f} ms in bf16 and "
            f"{1000 * self.fp32:,.1f} ms in fp32 on {self.device}"
        )


def _takes_all(epochs: int) -> str:
    return f"takes the whole training, {how_many(epochs, 'epoch')}; lower it"


def planned_training(training: Training, data: str) -> PlannedTraining:
    """Fill in what a space file leaves open: augmentation, and one value of each varied key.

    Args:
        training: training section of the space file.
        data: name of the data set, whose usual augmentation is taken.

    Returns:
        The recipe of the first possible trial: the lowest values, but the most epochs; for a
        learning-rate rule, the rate of its reference. Precision `auto` is fp32 until measured.
    """
    facts = DATASETS[data]
    resized = training.resized_crop
    if resized is None and training.crop is None:
        resized = facts.resized_crop
    filled: dict[str, Any] = {
        "crop": facts.crop if training.crop is None and not resized else training.crop or 0,
        "flip": facts.flip if training.flip is None else training.flip,
        "resized_crop": resized,
        **{key: values[0] for key, values in training.varied.items()},
        "epochs": training.longest,
    }
    if training.precision == "auto":
        filled["precision"] = "fp32"
    if isinstance(training.lr, DepthRule):
        filled["lr"] = training.lr.lr
    return PlannedTraining(**training.model_dump() | filled)
