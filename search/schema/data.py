"""The data section of a space file: which images, how many, how large. No torch here."""

from typing import Annotated, Any, Literal, Self, get_args

from pydantic import BeforeValidator, Field, PositiveInt, model_validator

from search.schema.datasets import DATASETS, Dataset
from search.schema.section import Section
from search.schema.values import MisfitError

DatasetName = Literal["digits", "cifar10", "cifar100", "synthetic", "imagenet", "imagefolder"]
assert set(get_args(DatasetName)) == set(DATASETS), "one name for one data set"

_WIDEST = 4096  # pixels that an image is stored with, at most
_RESIZE = 256 / 224  # stored side over resolution, as the ImageNet evaluation has it
_OF_TREES = ("classes", "images_per_class", "resolution", "resize", "cache", "test", "digest")


def class_choice(value: Any) -> int | str | tuple[str, ...] | None:
    """How many classes, a list file's path, or their names; None is all of them."""
    whole = isinstance(value, int) and not isinstance(value, bool) and value >= 2
    names = isinstance(value, tuple) and value and all(isinstance(n, str) for n in value)
    if value is None or whole or names or (isinstance(value, str) and value):
        chosen: int | str | tuple[str, ...] | None = value
        return chosen
    raise ValueError(
        "is no choice of classes; write how many (100), the path of a list file, or names: "
        "[n01440764, n02102040]"
    )


class Data(Section):
    """The images; `validation` of them are cut from train, `train` limits what is left.

    Of a tree of class folders (imagenet, imagefolder) also: `classes` and `images_per_class`
    of train; `resolution` that networks see, cut from squares of side `resize`; `storage`,
    decoded once into a `cache` folder or anew each time; how many images may be `damaged`.
    """

    name: DatasetName
    root: str = "data"
    validation: PositiveInt
    train: PositiveInt | None = None
    classes: Annotated[int | str | tuple[str, ...] | None, BeforeValidator(class_choice)] = None
    images_per_class: PositiveInt | None = None
    resolution: Annotated[int, Field(ge=1, le=_WIDEST)] | None = None
    resize: Annotated[int, Field(ge=1, le=_WIDEST)] | None = None
    storage: Literal["auto", "cached", "decoded"] = "auto"
    cache: str | None = None
    damaged: Annotated[int, Field(ge=0)] = 20
    test: PositiveInt | None = None  # images of val/, all of which are used; filled in
    digest: str | None = None  # of the chosen files' names; filled in, or what they must have

    @property
    def facts(self) -> Dataset:
        """Sizes and official files; of a tree once it is read (`search.schema.recipes`)."""
        facts = DATASETS[self.name]
        if not facts.tree:
            return facts
        assert isinstance(self.classes, tuple), "resolved"
        assert self.train is not None, "resolved"
        assert self.resolution is not None, "resolved"
        return facts._replace(
            classes=len(self.classes),
            image_size=self.resolution,
            train=self.train + self.validation,
            test=self.test or 0,
        )

    @property
    def train_images(self) -> int:
        """Images that a trial trains on."""
        return self.train or self.facts.train - self.validation

    @property
    def side(self) -> int:
        """Of the square images that are stored, in pixels."""
        return self.resize or self.facts.image_size

    @model_validator(mode="after")
    def _fits(self) -> Self:
        facts = DATASETS[self.name]
        if facts.tree:
            return self._with_sizes(facts)
        for key in _OF_TREES:
            if getattr(self, key) is not None:
                raise MisfitError(
                    f"data.{key}",
                    f"is for imagenet and imagefolder; leave it out of {self.name}",
                )
        wanted = f"validation {self.validation:,} + train {self.train or 1:,}"
        if self.validation + (self.train or 1) > facts.train:
            raise ValueError(
                f"{wanted} is more than the {facts.train:,} training images; lower one"
            )
        return self

    def _with_sizes(self, facts: Dataset) -> Self:
        if self.resolution is None and not facts.image_size:
            raise MisfitError("data.resolution", "is missing; write such as resolution: 128")
        resolution = self.resolution or facts.image_size
        resize = self.resize or round(resolution * _RESIZE)
        if resize < resolution:
            raise MisfitError(
                "data.resize",
                f"is less than the {resolution} px of the resolution cut from it; write "
                "at least that",
            )
        sizes = {"resolution": resolution, "resize": resize}
        for key, value in sizes.items():
            object.__setattr__(self, key, value)  # frozen for all but its own making
        return self
