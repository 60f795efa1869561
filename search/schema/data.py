"""The data section: which images, how many, how large. No torch here.

`Data` is what a space file says; `PlannedData` is the same in numbers, after counting.
"""

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal, NamedTuple, Self

from pydantic import BeforeValidator, Field, PositiveInt, model_validator

from search.schema.datasets import DATASETS, Dataset
from search.schema.layouts import Pair, one_pair, some_pairs
from search.schema.section import Section
from search.schema.values import MisfitError, class_choice

_WIDEST = 4096  # pixels: largest side of a stored image
_RESIZE = 256 / 224  # stored side over resolution, as in the usual ImageNet evaluation
_OF_TREES = (
    "classes", "images", "images_per_class", "resolution", "resize", "cache", "test", "digest"
)  # fmt: skip
_OF_SETS, _OF_PAIRS = ("sets",), ("train_pairs", "test_pair")
Storage = Literal["auto", "cached", "decoded"]
# Version of how files become pixels, which distinguishes caches and studies of trees: to be
# changed with `search.images.looks`, or with how pictures are resized.
DECODING = "3: as they look"


_MISSING = {
    "sets": "say which, such as sets: voc07+12 for voc, or sets: boxes for coco",
    "train_pairs": "write, for example, [[DUTS-TR/DUTS-TR-Image, DUTS-TR/DUTS-TR-Mask]]",
    "test_pair": "write, for example, [ECSSD/images, ECSSD/ground_truth_mask]",
}


class Data(Section):
    """The images. `validation` images are cut from train; `train` limits the rest."""

    name: Annotated[str, BeforeValidator(DATASETS.checked)]
    """The data set."""
    root: str = "data"
    """Folder of the data sets' files. For a tree of class folders, the folder that holds
    `train/` and `val/`; for `voc` the one with `VOCdevkit/`, for `coco` with `annotations/`.
    """
    sets: str | None = None
    """For `voc` and `coco`: which images, and which annotations of them; listed below."""
    boxes: str | None = None
    """For `coco` with `sets: keypoints`: a detector's results on val2017, a file below `root`.
    The test is scored with its boxes; left out, with the true boxes.
    """
    train_pairs: Annotated[tuple[Pair, ...] | None, BeforeValidator(some_pairs)] = None
    """For `saliency_pairs`: for each set to train on, the folder of images, the folder of maps
    and, unless all are used, a file of names; below `root`.
    """
    test_pair: Annotated[Pair | None, BeforeValidator(one_pair)] = None
    """For `saliency_pairs`: the same for the set to test on."""
    validation: PositiveInt
    """Images cut from train, the same for every trial and study, on which networks are
    compared. [images]
    """
    train: PositiveInt | None = None
    """Number of the remaining images to train on; left out, all. [images]"""
    classes: Annotated[int | str | tuple[str, ...] | None, BeforeValidator(class_choice)] = None
    """For a tree: number of classes (the same choice for every study), path of a list file, or
    names; left out, all classes.
    """
    images: PositiveInt | None = None
    """For a tree: expected number of images of the chosen classes in `train/`, as a check; with
    `classes` it allows a plan without the files. For `voc`, `coco` and `saliency_pairs`:
    expected number of images to train and to validate on. [images]
    """
    images_per_class: PositiveInt | None = None
    """For a tree: at most so many training images per class; left out, all. [images]"""
    resolution: Annotated[int, Field(ge=1, le=_WIDEST)] | None = None
    """For a tree: side of the images that networks see; 224 for `imagenet`. [pixels]"""
    resize: Annotated[int, Field(ge=1, le=_WIDEST)] | None = None
    """For a tree: side of the stored squares; left out, 256/224 of `resolution`.
    [pixels]
    """
    channels: PositiveInt | None = None
    """Channels of the images that networks see: 1 turns colour images grey; left out, as in the
    data set.
    """
    storage: Storage = "auto"
    """For a tree: `cached` decodes each image once into a file, `decoded` decodes it anew each
    time, in separate processes; `auto` caches up to 200 GB.
    """
    cache: str | None = None
    """For a tree: folder of the decoded images; left out, `.decoded` below `root`."""
    damaged: Annotated[int, Field(ge=0)] = 20
    """For a tree: up to this many unreadable images are reported and left out; more of them end
    the command. [images]
    """
    test: PositiveInt | None = None
    """For a tree, `voc`, `coco` and `saliency_pairs`: expected number of test images, as a
    check; all of them are used (for a tree those of `val/`). For `digit_scenes`: how many are
    made. [images]
    """
    digest: str | None = None
    """For a tree: expected SHA-256 of the names of the chosen files, as a check."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        self._check_sets()
        facts = self.facts
        self._check_channels(facts)
        if facts.tree:
            if self.resolution or facts.image_size:  # else the network section must give it
                self.sides(facts)
            return self
        said = ("images", "test") if facts.annotated else ("test",) if facts.scenes else ()
        for key in _OF_TREES:
            if getattr(self, key) is not None and key not in said:
                raise MisfitError(
                    f"data.{key}",
                    f"is only for imagenet and imagefolder; leave it out for {self.name}",
                )
        wanted = f"validation {self.validation:,} + train {self.train or 1:,}"
        if self.validation + (self.train or 1) > facts.train and (facts.train or self.images):
            raise ValueError(
                f"{wanted} is more than the {facts.train:,} training images; lower one of them"
            )
        return self

    @property
    def facts(self) -> Dataset:
        """The facts of the data set or of its chosen set, with the numbers given here."""
        facts = DATASETS[self.name].of(self.sets)
        if not facts.annotated:
            return facts
        test = facts.sets[self.sets].every if self.sets and self.boxes else facts.test
        return facts._replace(train=self.images or facts.train, test=self.test or test)

    def _check_sets(self) -> None:
        """Check the keys that choose files, and that the data set takes them."""
        facts = DATASETS[self.name]
        for keys, theirs, of in (
            (_OF_SETS, facts.sets, "voc and coco"),
            (_OF_PAIRS, facts.pairs, "saliency_pairs"),
        ):
            for key in keys:
                if getattr(self, key) is not None and not theirs:
                    raise MisfitError(
                        f"data.{key}", f"is only for {of}; leave it out for {self.name}"
                    )
                if getattr(self, key) is None and theirs:
                    raise MisfitError(f"data.{key}", f"is missing; {_MISSING[key]}")
        if facts.sets and self.sets not in facts.sets:
            raise MisfitError(
                "data.sets", f"is not one of {self.name}; write {' or '.join(facts.sets)}"
            )

        detected = [name for name, one in facts.sets.items() if one.every]
        if self.boxes is not None and self.sets not in detected:
            raise MisfitError(
                "data.boxes", "is only for sets: keypoints of coco; leave it out, or write that"
            )

    def _check_channels(self, facts: Dataset) -> None:
        possible = (facts.channels, 1) if facts.channels == 3 else (facts.channels,)
        if self.channels is not None and self.channels not in possible:
            known = "3, or 1 for grey" if facts.channels == 3 else facts.channels
            raise MisfitError(
                "data.channels",
                (
                    f"is not a number of channels that images of {self.name} can have; write "
                    f"{known}, or leave it out"
                ),
            )

    def sides(self, facts: Dataset) -> tuple[int, int]:
        """Sides of the images that networks see, and of the stored ones, in pixels.

        Raises:
            MisfitError: no side is given, or images are stored smaller than networks see them.
        """
        resolution = self.resolution or facts.image_size
        if not resolution:
            raise MisfitError(
                "data.resolution", "is missing; add it, for example resolution: 128"
            )
        resize = self.resize or (round(resolution * _RESIZE) if facts.tree else resolution)
        if resize < resolution:
            raise MisfitError(
                "data.resize",
                f"is less than the resolution of {resolution} px that is cut from it; write "
                "at least that",
            )
        return resolution, resize


class PlannedData(Section):
    """The images of a study, counted; sides in pixels.

    Only a tree has `class_names`, `digest` (of the chosen files' names), `decoding` (how its
    files become pixels; absent in earlier versions) and `left_aside` (how many files of train
    and of val are not read, by reason); a data set of arrays has none of them. `unseen` says
    that the files were not looked at, so that numbers of images may be estimates.
    """

    name: str
    root: str
    train: PositiveInt
    validation: PositiveInt
    test: Annotated[int, Field(ge=0)]  # 0: an earlier version did not record it
    classes: PositiveInt
    class_names: tuple[str, ...] = ()
    images_per_class: PositiveInt | None = None
    resolution: PositiveInt  # of the images that networks see
    resize: PositiveInt  # of the stored images
    channels: PositiveInt = 3
    storage: Storage = "auto"
    cache: str | None = None
    damaged: Annotated[int, Field(ge=0)] = 20
    digest: str | None = None
    decoding: str | None = None
    left_aside: dict[str, dict[str, int]] = Field(default_factory=dict)
    unseen: bool = False
    images: PositiveInt | None = None  # of annotated data: training and validation images
    sets: str | None = None
    boxes: str | None = None  # file of a detector's results
    train_pairs: tuple[Pair, ...] | None = None
    test_pair: Pair | None = None

    @property
    def tree(self) -> bool:
        """Whether the data set is a tree of class folders."""
        return self.name in DATASETS.ours and DATASETS[self.name].tree

    def at(self, resolution: int) -> Self:
        """The same images at another resolution; the size of stored images follows it."""
        if resolution == self.resolution:
            return self
        stored = round(resolution * _RESIZE) if self.tree else resolution
        return self.model_copy(update={"resolution": resolution, "resize": stored})

    def aside_lines(self) -> Iterator[str]:
        """For each split with files that are not read, a line: how many, and why."""
        for split, counts in self.left_aside.items():
            if counts:
                files = sum(counts.values())
                why = ", ".join(f"{count:,} {reason}" for reason, count in counts.items())
                yield f"{split}/: {files:,} file{'s' * (files != 1)} left aside: {why}"


class Sizes(NamedTuple):
    """Classes of a data set, training images (without the validation images), test images."""

    classes: int
    train: int
    test: int


def planned_data(
    data: Data,
    left_aside: Mapping[str, Mapping[str, int]] | None = None,
    *,
    unseen: Sizes | None = None,
) -> PlannedData:
    """Count a data section of arrays, or of a tree whose classes and images are filled in.

    Args:
        data: the section.
        left_aside: for a tree, the number of files that are not read, by split and reason.
        unseen: known sizes of a tree whose files were not looked at.
    """
    facts = data.facts
    names = data.classes if facts.tree and isinstance(data.classes, tuple) else ()
    sizes = unseen or Sizes(
        classes=len(names) or facts.classes,
        train=data.train or facts.train - data.validation,
        test=data.test or facts.test,
    )
    resolution, resize = data.sides(facts)
    return PlannedData(
        name=data.name,
        root=data.root,
        train=sizes.train,
        validation=data.validation,
        test=sizes.test,
        classes=sizes.classes,
        class_names=() if unseen else names,
        images_per_class=data.images_per_class,
        resolution=resolution,
        resize=resize,
        channels=data.channels or facts.channels,
        storage=data.storage,
        cache=data.cache,
        damaged=data.damaged,
        digest=data.digest,
        decoding=DECODING if facts.tree else None,
        left_aside={split: dict(counts) for split, counts in (left_aside or {}).items()},
        unseen=unseen is not None,
        images=facts.train if facts.annotated else None,
        sets=data.sets,
        boxes=data.boxes,
        train_pairs=data.train_pairs,
        test_pair=data.test_pair,
    )
