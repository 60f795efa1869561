"""The table of tasks: what a trial learns, and the metrics that it is scored by."""

from typing import Annotated, Any, Literal, NamedTuple

from pydantic import Field, PositiveInt

from res2net.plugins import PluginError
from search.schema.datasets import DATASETS
from search.schema.metrics import Metric
from search.schema.parts import Choice, NoOptions, Table, require_methods
from search.schema.section import Section
from search.schema.values import MisfitError


class TaskFacts(NamedTuple):
    """What the table says of a task; see `search.tasks.base` for what its maker makes."""

    maker: str
    metrics: tuple[Metric, ...]  # the first is the objective where a space file names none
    summary: str
    needs: frozenset[str] = frozenset({"classes"})  # what its data must know of each image
    options: type[Section] | None = NoOptions
    backbone: bool = False  # whether networks put out features, and have no classifier


def _foreign(name: str, value: Any) -> TaskFacts:
    require_methods(name, value, "metrics")
    try:
        metrics = tuple(Metric(*metric) for metric in value.metrics)
    except TypeError as error:
        raise PluginError(
            f"{name}: its metrics are {value.metrics!r}; write such as "
            '(("accuracy", "maximize", "%"),)'
        ) from error
    if not metrics or len({metric.name for metric in metrics}) < len(metrics):
        raise PluginError(f"{name}: has no metrics, or one twice; name each once")
    for metric in metrics:
        if metric.direction not in ("minimize", "maximize"):
            raise PluginError(
                f"{name}: the direction of {metric.name} is {metric.direction!r}; write "
                "minimize or maximize"
            )
        if not all(isinstance(each, str) for each in metric[:4]):
            raise PluginError(
                f"{name}: {tuple(metric)} is no metric; each part of it is a word"
            )
    summary = (value.__doc__ or "").strip().partition("\n")[0]
    needs = getattr(value, "needs", ("classes",))
    return TaskFacts(
        name,
        metrics,
        summary,
        frozenset(needs),
        None,
        backbone=getattr(value, "backbone", False),
    )


def form_of(task: Choice) -> dict[str, Any]:
    """How a task uses networks, as `res2net.cost.costs` takes it.

    Args:
        task: of the study; one of somebody else's has classifiers.
    """
    facts = TASKS[task.name]
    stride = task.options.get("output_stride")
    return {"head": not facts.backbone, "output_stride": stride}


class Detection(Section):
    """Keys of `detection` and `instances`."""

    channels: PositiveInt = 256
    """Channels of each level of the feature pyramid. [channels]"""
    hidden: PositiveInt = 1024
    """Width of the two layers that look at each box. [units]"""
    sampled: PositiveInt = 512
    """Boxes of an image that these are trained on. [boxes]"""
    frozen: Annotated[int, Field(ge=0)] = 0
    """Stages of the backbone that are not trained, the stem first: 1 is the stem alone.
    [stages]
    """
    norms: Literal["trained", "frozen"] = "trained"
    """Whether the backbone's batch norms are trained."""


_PRECISION = tuple(
    Metric(name, "maximize", "%", "", optional)
    for name, optional in (
        ("ap", False),
        ("ap50", False),
        ("ap75", False),
        ("ap_small", True),
        ("ap_medium", True),
        ("ap_large", True),
        ("ar", False),
    )
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
        "detection": TaskFacts(
            "search.tasks.detection.task:detection",
            _PRECISION,
            "boxes of objects by Faster R-CNN with a feature pyramid, scored by COCO's AP",
            frozenset({"boxes"}),
            Detection,
            backbone=True,
        ),
        "instances": TaskFacts(
            "search.tasks.detection.task:instances",
            _PRECISION,
            "boxes and masks of objects by Mask R-CNN, scored by COCO's AP of masks",
            frozenset({"boxes", "masks"}),
            Detection,
            backbone=True,
        ),
    },
    _foreign,
)


def check_annotations(task: str, data: str) -> None:
    """See that a data set knows of its images what a task learns.

    Raises:
        MisfitError: it does not, with the data sets that do.
    """
    needs, gives = TASKS[task].needs, DATASETS[data].gives
    missing = sorted(needs - gives)
    if missing:
        able = [name for name, facts in DATASETS.ours.items() if needs <= facts.gives]
        known = " or ".join(able) or "a data set of your own that gives them"
        raise MisfitError(
            "data.name",
            f"{data} has no {' and no '.join(missing)}, which {task} learns; write {known}, or "
            "another task",
        )
