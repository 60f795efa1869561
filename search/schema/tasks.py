"""The table of tasks: what a trial learns, and the metrics that score it."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import Field, PositiveInt

from res2net.plugins import PluginError
from res2net.tally import Size, Tally
from search.schema.data import Data
from search.schema.datasets import DATASETS
from search.schema.dense_tasks import Keypoints, Saliency, Segmentation
from search.schema.heads import (
    CountHead,
    Seen,
    count_detection,
    count_instances,
    count_keypoints,
    count_saliency,
    count_segmentation,
)
from search.schema.metrics import Metric
from search.schema.parts import NoOptions, Table, require_methods
from search.schema.section import Section
from search.schema.values import MisfitError

INSTALL = (
    "install what tasks on scenes need, in the checkout: pip install -c constraints.txt "
    "'.[tasks]', and for saliency: pip install -c constraints.txt --no-deps pysodmetrics"
)
# Training keys that change images or labels; a task refuses those that it does not read.
AUGMENTATION = (
    "crop", "flip", "resized_crop", "jitter", "cutout", "erasing", "mixup", "cutmix",
    "label_smoothing",
)  # fmt: skip
_ALL = frozenset(AUGMENTATION)
_MULTIPLE = 32  # pixels; torchvision's detectors pad images to a multiple of this


class TaskFacts(NamedTuple):
    """Facts about a task; see `search.tasks.base` for what its maker returns."""

    maker: str
    metrics: tuple[Metric, ...]  # the first is the objective unless a space file names others
    summary: str
    needs: frozenset[str] = frozenset({"classes"})  # annotations that its data must have
    options: type[Section] | None = NoOptions
    backbone: bool = False  # whether networks output features, without a classifier
    libraries: tuple[str, ...] = ()  # modules that may not be installed
    reads: frozenset[str] = _ALL  # the keys of AUGMENTATION that it reads
    head: CountHead | None = None  # adds the cost of the task's head, where there is one
    image_size: Callable[[int, Mapping[str, Any]], Size] = lambda side, _: Size(side, side)
    squares: bool = True  # whether it sees squares of the side given in the network section
    fewest: int = 1  # images that must pass the network at once, so that batch norms can learn


def _foreign(name: str, value: Any) -> TaskFacts:
    require_methods(name, value, "metrics")
    try:
        metrics = tuple(Metric(*metric) for metric in value.metrics)
    except TypeError as error:
        raise PluginError(
            f"{name}: its metrics are {value.metrics!r}; write, for example, "
            '(("accuracy", "maximize", "%"),)'
        ) from error
    if not metrics or len({metric.name for metric in metrics}) < len(metrics):
        raise PluginError(f"{name}: has no metrics, or one of them twice; list each once")
    for metric in metrics:
        if metric.direction not in ("minimize", "maximize"):
            raise PluginError(
                f"{name}: the direction of {metric.name} is {metric.direction!r}; write "
                "minimize or maximize"
            )
        if not all(isinstance(each, str) for each in metric):
            raise PluginError(
                f"{name}: {tuple(metric)} is not a metric; write a word for each of its parts"
            )
    summary = (value.__doc__ or "").strip().partition("\n")[0]
    needs = getattr(value, "needs", ("classes",))
    count = getattr(value, "count_head", None)
    return TaskFacts(
        name,
        metrics,
        summary,
        frozenset(needs),
        None,
        backbone=getattr(value, "backbone", False),
        head=None if count is None else _called(name, count),
    )


def _called(name: str, count: Any) -> CountHead:
    """A foreign part's function that counts its head; its errors name the task."""

    def count_head(tally: Tally, seen: Seen, options: Mapping[str, Any]) -> None:
        try:
            count(tally, seen, options)
        except Exception as error:  # foreign code may raise anything
            raise PluginError(
                f"{name}: count_head raises {type(error).__name__}: {error}; see "
                "search.schema.heads"
            ) from error
        wrong = [n for n in (tally.params, tally.macs) if not isinstance(n, int) or n < 0]
        if wrong:
            raise PluginError(
                f"{name}: count_head returns {wrong[0]!r}; return whole numbers from 0 up"
            )

    return count_head


def _window(_: int, options: Mapping[str, Any]) -> Size:
    return Size(*options["window"])


def _padded(resolution: int, _: Mapping[str, Any]) -> Size:
    """The size to which torchvision's detectors pad images: a multiple of 32."""
    side = -(-resolution // _MULTIPLE) * _MULTIPLE
    return Size(side, side)


class Detection(Section):
    """Keys of `detection` and `instances`."""

    channels: PositiveInt = 256
    """Channels of each level of the feature pyramid. [channels]"""
    hidden: PositiveInt = 1024
    """Width of the two layers that process each box. [units]"""
    sampled: PositiveInt = 512
    """Boxes of an image that these layers are trained on. [boxes]"""
    proposals: Annotated[int, Field(ge=1, le=10_000)] | None = None
    """Boxes of an image that these layers process, chosen from twice as many of the best of
    each level; left out, as in torchvision, 2000 of 2000 in training and 1000 of 1000 in
    testing. [boxes]
    """
    anchor: Annotated[float, Field(gt=0, le=64)] = 8.0
    """Side of the anchor boxes, over the stride of their level: 8 is 32 pixels at a stride of
    4. Smaller for small objects.
    """
    frozen: Annotated[int, Field(ge=0, le=5)] = 0
    """Stages of the backbone that are not trained, the stem counting as the first: 1 is the
    stem
    alone. [stages]
    """
    norms: Literal["trained", "frozen"] = "trained"
    """Whether the backbone's batch norms are trained."""


_PRECISION = tuple(
    Metric(name, "maximize", "%")
    for name in ("ap", "ap50", "ap75", "ap_small", "ap_medium", "ap_large", "ar")
)

TASKS = Table(
    "task",
    {
        "classification": TaskFacts(
            "search.tasks.classification:classification",
            (
                Metric("error", "minimize", "%", "accuracy"),
                Metric("error_top5", "minimize", "%", "top-5 accuracy"),
            ),
            "one class for each image, scored by top-1 and top-5 error",
        ),
        "segmentation": TaskFacts(
            "search.tasks.segmentation:segmentation",
            (Metric("miou", "maximize", "%"),),
            "the class of each pixel by DeepLabv3+, scored by mean IoU",
            frozenset({"semantic"}),
            Segmentation,
            backbone=True,
            head=count_segmentation,
            libraries=("segmentation_models_pytorch", "torchmetrics"),
            reads=frozenset({"flip", "label_smoothing"}),
            fewest=2,
        ),
        "saliency": TaskFacts(
            "search.tasks.saliency:saliency",
            (Metric("max_f", "maximize"), Metric("mae")),
            "what stands out in an image, by a U-shaped decoder with side outputs, scored by "
            "the largest F-measure and the mean absolute error",
            frozenset({"saliency"}),
            Saliency,
            backbone=True,
            head=count_saliency,
            libraries=("py_sod_metrics",),
            reads=frozenset({"flip"}),
        ),
        "keypoints": TaskFacts(
            "search.tasks.keypoints.task:keypoints",
            (
                Metric("ap", "maximize", "%"),
                Metric("ap50", "maximize", "%"),
                Metric("ap75", "maximize", "%"),
                Metric("ap_small", "maximize", "%"),
                Metric("ap_medium", "maximize", "%"),
                Metric("ap_large", "maximize", "%"),
            ),
            "points of each object by SimpleBaseline, scored by COCO's AP of OKS",
            frozenset({"boxes", "keypoints"}),
            Keypoints,
            backbone=True,
            head=count_keypoints,
            image_size=_window,
            squares=False,
            libraries=("faster_coco_eval",),
            reads=frozenset({"flip"}),
        ),
        "detection": TaskFacts(
            "search.tasks.detection.task:detection",
            _PRECISION,
            "boxes of objects by Faster R-CNN with a feature pyramid, scored by COCO's AP",
            frozenset({"boxes"}),
            Detection,
            backbone=True,
            head=count_detection,
            image_size=_padded,
            libraries=("torchmetrics", "faster_coco_eval"),
            reads=frozenset({"flip"}),
        ),
        "instances": TaskFacts(
            "search.tasks.detection.task:instances",
            _PRECISION,
            "boxes and masks of objects by Mask R-CNN, scored by COCO's AP of masks",
            frozenset({"boxes", "masks"}),
            Detection,
            backbone=True,
            head=count_instances,
            image_size=_padded,
            libraries=("torchmetrics", "faster_coco_eval"),
            reads=frozenset({"flip"}),
        ),
    },
    _foreign,
)


def check_annotations(task: str, data: Data) -> None:
    """Check that the data set has the annotations that a task learns from.

    Raises:
        MisfitError: it has not, with the sets or the data sets that have them.
    """
    needs, gives = TASKS[task].needs, data.facts.gives
    missing = sorted(needs - gives)
    if not missing:
        return
    lacks = f"has no {' and no '.join(missing)}, which {task} learns"
    able = [name for name, s in DATASETS[data.name].sets.items() if needs <= s.gives]
    if able:
        raise MisfitError("data.sets", f"{lacks}; write {' or '.join(able)}, or another task")
    able = [name for name, facts in DATASETS.ours.items() if needs <= facts.gives]
    known = " or ".join(able) or "a data set of your own that gives them"
    raise MisfitError("data.name", f"{lacks}; write {known}, or another task")
