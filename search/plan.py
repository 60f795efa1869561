"""Prints the plan of a study before it runs: candidates, costs, trials. No torch here."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from rich.console import Group, RenderableType
from rich.table import Table

from res2net.architecture import written
from search.plan_work import titled, work
from search.samplers.ordered import NOTHING, Elsewhere
from search.schema.study_plan import StudyPlan
from search.schema.units import format_amount
from search.space.survey import Survey

_BINS = 8
_LISTED = 20  # candidates; of a longer list, two are shown
_MODEL = {"model_params": "model params", "model_macs": "model MACs"}
_BAR = 36  # characters of the longest bar


def picture(
    plan: StudyPlan,
    survey: Survey,
    *,
    gpu: float | str,
    precision: str = "",
    elsewhere: Elsewhere = NOTHING,
) -> RenderableType:
    """Draw the plan for a person to read.

    Args:
        plan: plan of the study.
        survey: its candidates.
        gpu: the GPU share of a trial as the space file gives it, a number or auto.
        precision: number format of the training in words, where its name does not say all.
        elsewhere: what other runs have trained, and this study does not.
    """
    lines: list[RenderableType] = [
        f"study {plan.study}: {survey.total:,} candidate{'s' * (survey.total != 1)}, "
        f"{len(survey):,} inside the budget",
        *_rejections(survey),
        *_bands(plan, survey),
        "",
        _histogram("MACs", survey.costs.macs),
        _histogram("params", survey.costs.params),
        *_models(plan, survey),
        _dimensions(survey),
        _extremes(survey),
        *work(
            plan,
            survey,
            gpu=gpu,
            precision=precision or plan.training.precision,
            elsewhere=elsewhere,
        ),
    ]
    return Group(*lines)


def _rejections(survey: Survey) -> Iterator[str]:
    for reason, count in survey.rejected.items():
        yield f"  {count:>12,} rejected: {reason}"
    yield f"  {survey.duplicates:>12,} duplicates, listed more than once in the file"


def _bands(plan: StudyPlan, survey: Survey) -> Iterator[str]:
    """The number of candidates in each band of the budget."""
    for name, band in plan.budget.bands().items():
        if not band.bands:
            continue
        held = np.bincount(survey.bands, minlength=len(band.bands))
        for amount, (low, high), count in zip(band.bands, band.ranges, held, strict=True):
            asked = plan.search.per_band
            tried = f": {min(count, asked)} are tried" if asked else ""
            few = f", fewer than the {asked} requested" if asked and count < asked else ""
            yield (
                f"  band {format_amount(amount)} of {name} ({low:,} to {high:,}): {count:,} "
                f"candidates{tried}{few}"
            )


def _histogram(title: str, amounts: npt.NDArray[np.int64]) -> Table:
    """The distribution of the candidates, as bars of text."""
    bins = 1 if amounts.min() == amounts.max() else _BINS
    counts, edges = np.histogram(amounts, bins=bins)
    table = titled(title, show_header=False)
    for count, low, high in zip(counts, edges, edges[1:], strict=False):
        bar = "#" * round(_BAR * count / counts.max())
        table.add_row(
            f"{format_amount(low)} to {format_amount(high)}", bar or ".", f"{count:,}"
        )
    table.columns[2].justify = "right"
    return table


def _models(plan: StudyPlan, survey: Survey) -> Iterator[Table]:
    """The distribution of candidates including the task's head, where a budget limits that."""
    for name in plan.budget.bands():
        if name in _MODEL:
            yield _histogram(_MODEL[name], getattr(survey.costs, name))


def _dimensions(survey: Survey) -> Table:
    """The number of remaining candidates at each value of each dimension."""
    table = Table(
        box=None, show_header=False, title="candidates by value", title_justify="left"
    )
    indices = survey.indices()
    for column, dimension in enumerate(survey.dimensions):
        counts = np.bincount(indices[:, column], minlength=len(dimension.values))
        shown = [
            f"{str(v).lower() if isinstance(v, bool) else written(v)}: {n:,}"
            for v, n in zip(dimension.values, counts, strict=True)
        ]
        table.add_row(dimension.name, _shortened(shown))
    if survey.widths.any():
        low, high = survey.widths.min(), survey.widths.max()
        table.add_row("width", f"solved for the budget, {low} to {high}")
    return table


def _shortened(shown: list[str]) -> str:
    if len(shown) <= 12:
        return "   ".join(shown)
    return "   ".join([*shown[:5], f"... ({len(shown)} values) ...", *shown[-5:]])


def _extremes(survey: Survey) -> Table:
    order = [int(candidate) for candidate in np.argsort(survey.costs.macs, kind="stable")]
    few = len(order) <= _LISTED
    table = titled("candidates" if few else "cheapest and most expensive", show_header=True)
    more = _MODEL.values() if survey.grid.use.has_head else ()
    for column in ("network", "MACs", "params", "activations", *more):
        table.add_column(column, justify="left" if column == "network" else "right")
    for candidate in order if few else (order[0], order[-1]):
        counted = survey.cost(candidate)
        table.add_row(
            survey.name(candidate),
            f"{counted.macs:,}",
            f"{counted.params:,}",
            f"{counted.activations:,}",
            *(f"{amount:,}" for amount in survey.model(candidate).values()),
        )
    return table
