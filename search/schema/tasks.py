"""The table of tasks: what a trial learns, and the metrics that it is scored by."""

from typing import Any, NamedTuple

from res2net.plugins import PluginError
from search.schema.metrics import Metric
from search.schema.parts import NoOptions, Table, require_methods
from search.schema.section import Section


class TaskFacts(NamedTuple):
    """What the table says of a task; see `search.tasks.base` for what its maker makes."""

    maker: str
    metrics: tuple[Metric, ...]  # the first is the objective where a space file names none
    summary: str
    options: type[Section] | None = NoOptions


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
        if not all(isinstance(each, str) for each in metric):
            raise PluginError(
                f"{name}: {tuple(metric)} is no metric; each part of it is a word"
            )
    summary = (value.__doc__ or "").strip().partition("\n")[0]
    return TaskFacts(name, metrics, summary, None)


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
    },
    _foreign,
)
