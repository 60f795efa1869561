"""The data section: which images, how many, how large. No torch here.

`Data` is as a space file writes it; `PlannedData` is what it comes to, in numbers.
"""

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal, NamedTuple, Self

from pydantic import BeforeValidator, Field, PositiveInt, model_validator

from search.schema.datasets import DATASETS, Dataset
from search.schema.layouts import Pair, one_pair, some_pairs
from search.schema.section import Section
from search.schema.values import MisfitError, class_choice

_WIDEST = 4096  # pixels that an image is stored with, at most
_RESIZE = 256 / 224  # stored side over resolution, as the ImageNet evaluation has it
_OF_TREES = (
    "classes", "images", "images_per_class", "resolution", "resize", "cache", "test", "digest"
)  # fmt: skip
_OF_SETS, _OF_PAIRS = ("sets",), ("train_pairs", "test_pair")
Storage = Literal["auto", "cached", "decoded"]
# How files become pixels, by which caches and studies of trees are told apart: a new one with
# each change of `search.images.looks`, or of how pictures are resized.
DECODING = "3: as they look"


_MISSING = {
    "sets": "write which, such as sets: voc07+12 of voc, or sets: boxes of coco",
    "train_pairs": "write such as [[DUTS-TR/DUTS-TR-Image, DUTS-TR/DUTS-TR-Mask]]",
    "test_pair": "write such as [ECSSD/images, ECSSD/ground_truth_mask]",
}


class Data(Section):
    """The images; `validation` of them are cut from train, `train` limits what is left."""

    name: Annotated[str, BeforeValidator(DATASETS.checked)]
    """The data set."""
    root: str = "data"
    """Folder of the data sets' files; of a tree of class folders the one that holds `train/`
    and `val/`; of `voc` the one that holds `VOCdevkit/`, of `coco` `annotations/`.
    """
    sets: str | None = None
    """Of `voc` and `coco`: which images, and what is read of them; they are listed below."""
    boxes: str | None = None
    """Of `coco` with `sets: keypoints`: a detector's results on val2017, a file below `root`.
    The test is scored by its boxes; left out, by true ones.
    """
    train_pairs: Annotated[tuple[Pair, ...] | None, BeforeValidator(some_pairs)] = None
    """Of `saliency_pairs`: of each set to train on the folder of images, that of maps, and,
    where not all are meant, a file of names; below `root`.
    """
    test_pair: Annotated[Pair | None, BeforeValidator(one_pair)] = None
    """Of `saliency_pairs`: the same of the set to test on."""
    validation: PositiveInt
    """Images cut from train, the same for every trial and study, by which networks are
    compared. [images]
    """
    train: PositiveInt | None = None
    """Images of the rest to train on; left out, all. [images]"""
    classes: Annotated[int | str | tuple[str, ...] | None, BeforeValidator(class_choice)] = None
    """Of a tree: how many (the same choice for every study), the path of a list file, or names;
    left out, all.
    """
    images: PositiveInt | None = None
    """Of a tree: images of the chosen classes that `train/` must hold, to make sure; with
    `classes` they make a plan possible where the files are not there. Of `voc`, `coco` and
    `saliency_pairs`: images to train and to validate on that must be there. [images]
    """
    images_per_class: PositiveInt | None = None
    """Of a tree: at most so many training images of each class; left out, all. [images]"""
    resolution: Annotated[int, Field(ge=1, le=_WIDEST)] | None = None
    """Of a tree: side of the images that networks see; 224 for `imagenet`. [pixels]"""
    resize: Annotated[int, Field(ge=1, le=_WIDEST)] | None = None
    """Of a tree: side of the squares that are stored; left out, 256/224 of `resolution`.
    [pixels]
    """
    channels: PositiveInt | None = None
    """Of the images that networks see: 1 shows colour images in grey; left out, the data set's
    own.
    """
    storage: Storage = "auto"
    """Of a tree: `cached` decodes each image once into a file, `decoded` anew each time by
    processes; `auto` caches up to 200 GB.
    """
    cache: str | None = None
    """Of a tree: folder of the decoded images; left out, `.decoded` below `root`."""
    damaged: Annotated[int, Field(ge=0)] = 20
    """Of a tree: unreadable images that are named and left out; more of them end the command.
    [images]
    """
    test: PositiveInt | None = None
    """Of a tree: images that `val/` must hold, to make sure; all of them are used. So of
    `voc`, `coco` and `saliency_pairs`. Of `digit_scenes`: how many are made. [images]
    """
    digest: str | None = None
    """Of a tree: SHA-256 that the names of the chosen files must have, to make sure."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        self._check_sets()
        facts = self.facts
        self._check_channels(facts)
        if facts.tree:
            if self.resolution or facts.image_size:  # else the network section has to say it
                self.sides(facts)
            return self
        said = ("images", "test") if facts.annotated else ("test",) if facts.scenes else ()
        for key in _OF_TREES:
            if getattr(self, key) is not None and key not in said:
                raise MisfitError(
                    f"data.{key}",
                    f"is for imagenet and imagefolder; leave it out of {self.name}",
                )
        wanted = f"validation {self.validation:,} + train {self.train or 1:,}"
        if self.validation + (self.train or 1) > facts.train and (facts.train or self.images):
            raise ValueError(
                f"{wanted} is more than the {facts.train:,} training images; lower one"
            )
        return self

    @property
    def facts(self) -> Dataset:
        """Of the data set, of the one of its sets that is chosen, and as many as are said."""
        facts = DATASETS[self.name].of(self.sets)
        if not facts.annotated:
            return facts
        test = facts.sets[self.sets].every if self.sets and self.boxes else facts.test
        return facts._replace(train=self.images or facts.train, test=self.test or test)

    def _check_sets(self) -> None:
        """The keys that say which files are meant, and the data sets that have them."""
        facts = DATASETS[self.name]
        for keys, theirs, of in (
            (_OF_SETS, facts.sets, "voc and coco"),
            (_OF_PAIRS, facts.pairs, "saliency_pairs"),
        ):
            for key in keys:
                if getattr(self, key) is not None and not theirs:
                    raise MisfitError(
                        f"data.{key}", f"is for {of}; leave it out of {self.name}"
                    )
                if getattr(self, key) is None and theirs:
                    raise MisfitError(f"data.{key}", f"is missing; {_MISSING[key]}")
        if facts.sets and self.sets not in facts.sets:
            raise MisfitError(
                "data.sets", f"is none of {self.name}; write {' or '.join(facts.sets)}"
            )

        detected = [name for name, one in facts.sets.items() if one.every]
        if self.boxes is not None and self.sets not in detected:
            raise MisfitError(
                "data.boxes", "is for sets: keypoints of coco; leave it out, or write that"
            )

    def _check_channels(self, facts: Dataset) -> None:
        possible = (facts.channels, 1) if facts.channels == 3 else (facts.channels,)
        if self.channels is not None and self.channels not in possible:
            known = "3, or 1 for grey" if facts.channels == 3 else facts.channels
            raise MisfitError(
                "data.channels",
                f"is not what images of {self.name} can have; write {known}, or leave it out",
            )

    def sides(self, facts: Dataset) -> tuple[int, int]:
        """Of the images that networks see, and of those that are stored, in pixels.

        Raises:
            MisfitError: there is none to see, or less is stored than seen.
        """
        resolution = self.resolution or facts.image_size
        if not resolution:
            raise MisfitError("data.resolution", "is missing; write such as resolution: 128")
        resize = self.resize or (round(resolution * _RESIZE) if facts.tree else resolution)
        if resize < resolution:
            raise MisfitError(
                "data.resize",
                f"is less than the {resolution} px of the resolution cut from it; write "
                "at least that",
            )
        return resolution, resize


class PlannedData(Section):
    """The images of a study, counted; sides in pixels.

    `class_names` and `digest` (of the chosen files' names) are those of a tree, and so are
    `decoding`, how its files become pixels (earlier versions wrote nothing), and `left_aside`,
    how many files of train and of val are not read, by reason; a data set of arrays has none.
    `unseen` says that the files were not looked at, so that numbers of images may be estimates.
    """

    name: str
    root: str
    train: PositiveInt
    validation: PositiveInt
    test: Annotated[int, Field(ge=0)]  # 0: an earlier version did not write it down
    classes: PositiveInt
    class_names: tuple[str, ...] = ()
    images_per_class: PositiveInt | None = None
    resolution: PositiveInt  # that networks see
    resize: PositiveInt  # that is stored
    channels: PositiveInt = 3
    storage: Storage = "auto"
    cache: str | None = None
    damaged: Annotated[int, Field(ge=0)] = 20
    digest: str | None = None
    decoding: str | None = None
    left_aside: dict[str, dict[str, int]] = Field(default_factory=dict)
    unseen: bool = False
    images: PositiveInt | None = None  # of annotated files: to train and to validate on
    sets: str | None = None
    boxes: str | None = None  # file of a detector's results
    train_pairs: tuple[Pair, ...] | None = None
    test_pair: Pair | None = None

    @property
    def tree(self) -> bool:
        """Whether it is a tree of class folders."""
        return self.name in DATASETS.ours and DATASETS[self.name].tree

    def at(self, resolution: int) -> Self:
        """The same images at another resolution; what is stored follows it."""
        if resolution == self.resolution:
            return self
        stored = round(resolution * _RESIZE) if self.tree else resolution
        return self.model_copy(update={"resolution": resolution, "resize": stored})

    def aside_lines(self) -> Iterator[str]:
        """A line for each split with files that are not read: how many, and why."""
        for split, counts in self.left_aside.items():
            if counts:
                files = sum(counts.values())
                why = ", ".join(f"{count:,} {reason}" for reason, count in counts.items())
                yield f"{split}/: {files:,} file{'s' * (files != 1)} left aside: {why}"


class Sizes(NamedTuple):
    """Classes of a data set, images to train on (without those to validate on), test images."""

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
        left_aside: of a tree, files that are not read: how many by split and reason.
        unseen: of a tree that was not looked at.
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
