"""Decides `training.precision: auto` once, where trials run; a study then keeps the choice."""

from collections.abc import Callable
from dataclasses import replace

from rich.console import Console

from search.preparation import Prepared
from search.request import Request
from search.schema.study_plan import StudyPlan
from search.schema.training import ChosenPrecision
from search.schema.yaml import ConfigError
from search.study.deadline import Deadline, TimeUpError
from search.study.processor import is_same_name, processor


def measured(
    prepared: Prepared, request: Request, console: Console, deadline: Deadline | None
) -> Prepared:
    """The study with its number format chosen by measurement; unchanged if it is known.

    Raises:
        ConfigError: the formats could not be compared where trials run, or no such place
            exists.
        TimeUpError: nothing is left of the time limit.
    """
    if not prepared.open_precision:
        return prepared
    if deadline is not None and deadline.over and not request.inline:
        raise TimeUpError(
            f"--time-limit {request.time_limit}: getting ready took all of it; images that "
            "were decoded are kept, and the same command goes on; give a longer one if this "
            "repeats"
        )
    try:
        chosen = _chosen(prepared, request, deadline, console.print)
    except ConfigError:
        raise
    except Exception as error:
        place = prepared.space.document.place(("training", "precision"))
        why = " ".join(str(error).split())[-300:]
        raise ConfigError(
            f"{place}: training.precision: auto could not measure "
            f"({type(error).__name__}: {why}); write precision: bf16 or fp32"
        ) from error
    console.print(f"precision: auto: {chosen.precision} ({chosen.in_words})", soft_wrap=True)
    plan = prepared.plan.with_precision(chosen.precision, chosen)
    return replace(prepared, plan=plan, open_precision=False)


def _chosen(
    prepared: Prepared,
    request: Request,
    deadline: Deadline | None,
    say: Callable[[str], object],
) -> ChosenPrecision:
    from search.profiling.precision import choose, middling  # noqa: PLC0415 - imports torch

    plan, network = middling(prepared.plan, prepared.survey)
    if request.inline:
        return choose(plan, network)
    from search.executors.measuring import choose_on_ray  # noqa: PLC0415 - imports Ray

    seconds = max(0.0, deadline.left) if deadline else None
    return choose_on_ray(
        choose, plan, network, address=request.address, seconds=seconds, say=say
    )


def say_kept(plan: StudyPlan, console: Console, *, cluster: bool) -> None:
    """Tell which format a resumed study keeps, and whether it was chosen elsewhere."""
    chosen = plan.chosen
    if chosen is None:
        return
    here = chosen.device if cluster or is_same_name(chosen.device) else _device(plan)
    kept = f"; chosen on another machine and kept: this is {here}"
    where = "" if here == chosen.device else kept
    console.print(
        f"precision: auto: {chosen.precision}, as when it began ({chosen.in_words}){where}",
        soft_wrap=True,
    )


def _device(plan: StudyPlan) -> str:
    """The name of the device a trial runs on here; without torch where that is the CPU."""
    if not plan.resources.gpu:
        return processor()
    from search.profiling.precision import device_of  # noqa: PLC0415 - imports torch

    return device_of(plan)
