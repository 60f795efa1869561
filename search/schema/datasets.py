"""The table of data sets: sizes, classes, official files, and where their loaders are."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from res2net.plugins import PluginError
from search.schema.layouts import COCO, VOC, SetFacts
from search.schema.parts import NoOptions, Table, require_methods
from search.schema.section import Section


class Published(NamedTuple):
    """The contents of a data set as published; enough for a plan without the files."""

    classes: int
    train: int
    test: int
    fewest: int  # training images of its smallest class
    largest: int  # training images of its largest class


class Dataset(NamedTuple):
    """Facts about one data set; sizes in images, sides in pixels.

    Its maker takes the root folder and returns (images, labels) of train and of test: uint8
    (N, side, side, channels) and int64 (N,). For scenes, it takes (data, root) and returns
    `search.scenes.scene.SceneSplits`. A tree of class folders has no maker: its files are
    listed.
    """

    classes: int
    image_size: int
    train: int
    test: int
    crop: int  # pixels of zero-mean padding by which random crops may move
    flip: bool  # whether mirroring an image keeps its class
    folder: str = ""  # of the official files, below `data.root`; empty: no files on disk
    md5: Mapping[str, str] = {}
    tree: bool = False  # class folders, from which the space file chooses classes and images
    published: Published | None = None  # for a tree, which may hold only a part of it
    channels: int = 3  # of the images
    resized_crop: tuple[float, float] | None = None  # range of area of random resized crops
    gives: frozenset[str] = frozenset({"classes"})  # which annotations its images have
    joints: int = 0  # number of keypoints of an object
    sets: Mapping[str, SetFacts] = {}  # the space file chooses one of these with `data.sets`
    pairs: bool = False  # folders of images and of maps, given in the space file
    maker: str = ""
    checker: str = ""  # for annotated files: reads each of them before the first trial
    download: str = ""  # torchvision's class that downloads the official files
    summary: str = ""
    options: type[Section] | None = NoOptions

    @property
    def scenes(self) -> bool:
        """Whether its images hold several things, so that annotations are more than a class."""
        return "classes" not in self.gives

    @property
    def annotated(self) -> bool:
        """Whether it is read from files of images and annotations, as published."""
        return bool(self.checker)

    def of(self, chosen: str | None) -> "Dataset":
        """The facts of one of its sets; of the data set itself where none is chosen."""
        if chosen is None or chosen not in self.sets:
            return self
        facts = self.sets[chosen]._asdict()
        own = {key: facts[key] for key in facts if key in self._fields and key != "summary"}
        return self._replace(**own)


_SIZES = ("classes", "image_size", "train", "test")


def _foreign(name: str, value: Any) -> Dataset:
    if isinstance(value, type):
        raise PluginError(
            f"{name}: is a class; give an instance of it: DATA = {value.__name__}()"
        )
    require_methods(name, value, *_SIZES, "load")
    sizes = {key: getattr(value, key) for key in _SIZES}
    for key, size in sizes.items():
        if not isinstance(size, int) or size < 1:
            raise PluginError(f"{name}: {key} is {size!r}; write a whole number from 1 up")
    summary = (value.__doc__ or "").strip().partition("\n")[0]
    crop, flip = getattr(value, "crop", 0), getattr(value, "flip", False)
    if not isinstance(crop, int) or crop < 0 or not isinstance(flip, bool):
        raise PluginError(
            f"{name}: crop is {crop!r} and flip {flip!r}; write pixels from 0 up, and true or "
            "false"
        )
    channels = getattr(value, "channels", 3)
    if not isinstance(channels, int) or channels < 1:
        raise PluginError(f"{name}: channels is {channels!r}; write a whole number from 1 up")
    return Dataset(
        **sizes, crop=crop, flip=flip, channels=channels, maker=name, summary=summary
    )


_CHECKER = "search.scenes.checking:read_through"
_SCENES = Dataset(
    10, 96, 1200, 300, crop=0, flip=False,  # a mirrored digit is not a digit
    gives=frozenset({"boxes", "masks", "semantic", "saliency", "keypoints"}), joints=5,
    maker="search.scenes.digit_scenes:digit_scenes",
    summary="scenes composed from the embedded digits, with boxes, masks and keypoints",
)  # fmt: skip
_OURS: Mapping[str, Dataset] = {
    # scikit-learn's copy of the UCI test set; 1,437 + 360 is our split (search.images.splits).
    "digits": Dataset(
        10,
        8,
        1437,
        360,
        crop=1,
        flip=False,
        maker="search.images.sets:digits",
        summary="scikit-learn's handwritten digits, embedded",
    ),
    "synthetic": Dataset(
        4,
        8,
        256,
        64,
        crop=0,
        flip=False,
        maker="search.images.sets:synthetic",
        summary="four noisy patterns that any network tells apart, for trying things out",
    ),
    "digit_scenes": _SCENES,
    "few_digit_scenes": _SCENES._replace(
        classes=3,
        maker="search.scenes.digit_scenes:few_digit_scenes",
        summary="the same of the digits 0, 1 and 7 alone, which are soon told apart",
    ),
    "voc": Dataset(
        20,
        0,
        0,
        0,
        crop=0,
        flip=True,
        gives=frozenset({"boxes", "semantic"}),
        sets=VOC,
        maker="search.scenes.voc:voc",
        checker=_CHECKER,
        summary="PASCAL VOC 2007 and 2012, and SBD: the official files",
    ),
    "coco": Dataset(
        80,
        0,
        0,
        0,
        crop=0,
        flip=True,
        gives=frozenset({"boxes", "masks", "keypoints"}),
        sets=COCO,
        maker="search.scenes.coco:coco",
        checker=_CHECKER,
        summary="MS COCO 2017: the official files",
    ),
    "saliency_pairs": Dataset(
        1,
        256,
        0,
        0,
        crop=0,
        flip=True,
        gives=frozenset({"saliency"}),
        pairs=True,
        maker="search.scenes.saliency_pairs:saliency_pairs",
        checker=_CHECKER,
        summary="folders of images and of maps of what stands out: DUTS, MSRA-B, ECSSD ...",
    ),
    "cifar10": Dataset(
        10,
        32,
        50_000,
        10_000,
        crop=4,
        flip=True,
        folder="cifar-10-batches-py",
        maker="search.images.sets:cifar10",
        download="torchvision.datasets:CIFAR10",
        summary="CIFAR-10, the official files, downloaded where they are not there",
        md5={
            "data_batch_1": "c99cafc152244af753f735de768cd75f",
            "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
            "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
            "data_batch_4": "634d18415352ddfa80567beed471001a",
            "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
            "test_batch": "40351d587109b95175f43aff81a1287e",
        },
    ),
    "cifar100": Dataset(
        100,
        32,
        50_000,
        10_000,
        crop=4,
        flip=True,
        folder="cifar-100-python",
        maker="search.images.sets:cifar100",
        download="torchvision.datasets:CIFAR100",
        summary="CIFAR-100, the official files, downloaded where they are not there",
        md5={
            "train": "16019d7e3df5f24257cddd939b257f8d",
            "test": "f0ef6b0ae62326f3e7ffdfab6717acfc",
        },
    ),
    # ImageNet's usual augmentation, also for other data in the same layout.
    "imagenet": Dataset(
        0,
        224,
        0,
        0,
        crop=0,
        flip=True,
        tree=True,
        published=Published(1000, 1_281_167, 50_000, fewest=732, largest=1300),
        resized_crop=(0.08, 1.0),
        summary="ImageNet, or a part of it, as a tree of class folders",
    ),
    "imagefolder": Dataset(
        0,
        0,
        0,
        0,
        crop=0,
        flip=True,
        tree=True,
        resized_crop=(0.08, 1.0),
        summary="any tree of class folders",
    ),
}
DATASETS = Table("data set", _OURS, _foreign)
