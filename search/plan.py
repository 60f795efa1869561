"""Prints the plan of a study before it runs: candidates, costs, trials. No torch here."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from rich.console import Group, RenderableType
from rich.table import Table

from res2net.architecture import written
from res2net.file_names import printable
from search.images.storage import keeps_pixels
from search.plan_recipe import recipe_lines, transfer_lines, values_of
from search.profiling.estimate import Estimate
from search.schema.samplers import SAMPLERS
from search.schema.schedulers import scheduler_traits
from search.schema.search import PlannedSearch
from search.schema.study_plan import StudyPlan
from search.schema.units import duration, format_amount
from search.space.survey import Survey

_BINS = 8
_LISTED = 20  # candidates; of more, two are shown
_BAR = 36  # characters of the longest bar
_BACKWARD = 3  # a training step costs the forward pass three times: forward, two gradients


def picture(plan: StudyPlan, survey: Survey, *, gpu: float | str) -> RenderableType:
    """The plan as a person reads it.

    Args:
        plan: of the study.
        survey: its candidates.
        gpu: what the space file says a trial takes, a number or auto.
    """
    lines: list[RenderableType] = [
        f"study {plan.study}: {survey.total:,} candidates, {len(survey):,} inside the budget",
        *_rejections(survey),
        *_bands(plan, survey),
        "",
        _histogram("MACs", survey.costs.macs),
        _histogram("params", survey.costs.params),
        _dimensions(survey),
        _extremes(survey),
        *_work(plan, survey, gpu),
    ]
    return Group(*lines)


def _rejections(survey: Survey) -> Iterator[str]:
    for reason, count in survey.rejected.items():
        yield f"  {count:>12,} rejected: {reason}"
    yield f"  {survey.duplicates:>12,} duplicates, named more than once in the file"


def _bands(plan: StudyPlan, survey: Survey) -> Iterator[str]:
    """How many candidates each band of the budget holds."""
    for name, band in plan.budget.bands().items():
        if not band.bands:
            continue
        held = np.bincount(survey.bands, minlength=len(band.bands))
        for amount, (low, high), count in zip(band.bands, band.ranges, held, strict=True):
            asked = plan.search.per_band
            tried = f": {min(count, asked)} are tried" if asked else ""
            few = f", fewer than the {asked} that are asked" if asked and count < asked else ""
            yield (
                f"  band {format_amount(amount)} of {name} ({low:,} to {high:,}): {count:,} "
                f"candidates{tried}{few}"
            )


def _histogram(title: str, amounts: npt.NDArray[np.int64]) -> Table:
    """How the candidates spread, as bars of text."""
    bins = 1 if amounts.min() == amounts.max() else _BINS
    counts, edges = np.histogram(amounts, bins=bins)
    table = _titled(title, show_header=False)
    for count, low, high in zip(counts, edges, edges[1:], strict=False):
        bar = "#" * round(_BAR * count / counts.max())
        table.add_row(
            f"{format_amount(low)} to {format_amount(high)}", bar or ".", f"{count:,}"
        )
    table.columns[2].justify = "right"
    return table


def _dimensions(survey: Survey) -> Table:
    """How many candidates are left at each value of each dimension."""
    table = Table(
        box=None, show_header=False, title="candidates by value", title_justify="left"
    )
    indices = survey.indices()
    for column, dimension in enumerate(survey.dimensions):
        counts = np.bincount(indices[:, column], minlength=len(dimension.values))
        shown = [
            f"{written(v).lower()}: {n:,}"
            for v, n in zip(dimension.values, counts, strict=True)
        ]
        table.add_row(dimension.name, _shortened(shown))
    if survey.widths.any():
        low, high = survey.widths.min(), survey.widths.max()
        table.add_row("width", f"solved for the budget, {low} to {high}")
    return table


def _titled(title: str, *, show_header: bool) -> Table:
    return Table(box=None, title=title, title_justify="left", show_header=show_header)


def _shortened(shown: list[str]) -> str:
    if len(shown) <= 12:
        return "   ".join(shown)
    return "   ".join([*shown[:5], f"... ({len(shown)} values) ...", *shown[-5:]])


def _extremes(survey: Survey) -> Table:
    order = [int(candidate) for candidate in np.argsort(survey.costs.macs, kind="stable")]
    few = len(order) <= _LISTED
    table = _titled("candidates" if few else "cheapest and dearest", show_header=True)
    for column in ("network", "MACs", "params", "activations"):
        table.add_column(column, justify="left" if column == "network" else "right")
    for candidate in order if few else (order[0], order[-1]):
        counted = survey.cost(candidate)
        table.add_row(
            survey.name(candidate),
            f"{counted.macs:,}",
            f"{counted.params:,}",
            f"{counted.activations:,}",
        )
    return table


def _work(plan: StudyPlan, survey: Survey, gpu: float | str) -> Iterator[str]:
    """Trials, epochs and multiply-adds of the whole study at the mean candidate."""
    search, confirm, data = plan.search, plan.confirm, plan.data
    sampler = search.sampler.name
    per_epoch = _BACKWARD * data.train * float(survey.costs.macs.mean())
    trials = plan.search_trials()
    each = [f"{plan.tries} tries"] * (plan.tries > 1)
    each += [f"{search.seeds} seeds"] * (search.seeds > 1)
    seeds = f" ({search.trials} networks, {' and '.join(each)} each)"
    how = f"({sampler}, seed {search.seed})"
    yield ""
    yield (
        f"search: {trials} trials{seeds if each else ''} {how} of "
        f"{values_of(plan, 'epochs', plan.training.epochs)} epochs over {data.train:,} images "
        f"of {data.name}, batch {plan.training.batch_size}, {plan.training.precision}"
    )
    yield f"  compared by {', '.join(one.name for one in plan.objectives)}"
    for limits in plan.budget.measured():
        yield (
            f"  {limits.in_words}: measured on the trial's device; a network outside is not "
            "trained"
        )
    yield from (*recipe_lines(plan), *transfer_lines(plan), *_proposals(search), *_scored(plan))
    if survey.base is not None:
        solving = f", {search.solve} solving for the budget" if search.solve else ""
        name = survey.name(survey.base)
        yield f"  axes: from {name}, one dimension at a time{solving}"
    if "ordered" in SAMPLERS[sampler].traits and search.trials < len(survey):
        cheapest = f"the {search.trials} cheapest of {len(survey):,}"
        yield f"  {sampler}: {cheapest}, in order of MACs"
    scheduler = plan.scheduler
    if scheduler_traits(scheduler):
        keys = ", ".join(f"{key} {value}" for key, value in scheduler.options.items())
        yield (
            f"  {scheduler.name}{f' ({keys})' if keys else ''}: trials may end early, so this "
            "is the most it can cost"
        )
    if plan.fidelity is not None:
        yield (
            f"  fidelity: the first {plan.fidelity.check} networks run to their end; where "
            "early epochs do not rank them as the last does (tau_b from "
            f"{plan.fidelity.at_least:g} up), nobody is stopped"
        )
    if confirm:
        yield (
            f"confirm: the best {plan.confirmed}, {confirm.seeds} seeds each, "
            f"{confirm.epochs} epochs: {plan.confirm_trials} trials"
        )
    epochs = sum(trials * epochs for trials, epochs in plan.phases)
    most = "at most " * ("epochs" in plan.varied)
    yield (
        f"in all {most}{epochs:,} epochs, about {epochs * per_epoch:.2g} multiply-adds of "
        "training; "
        f"a trial takes {gpu} GPU and {plan.resources.cpu} CPU"
    )
    if plan.execution.replay:
        yield f"a replay, in simulated time on {plan.execution.in_words}"
    yield from _aside(plan)
    yield from _cache(plan)


def _scored(plan: StudyPlan) -> Iterator[str]:
    """Scores of untrained networks, and how many they leave to be trained."""
    rule = plan.zero_cost
    if rule is None:
        return
    yield f"  zero_cost: each network is scored untrained by {', '.join(rule.scores)}"
    if rule.keep is not None:
        yield (
            f"  after {rule.after} networks one is trained only where {rule.by} is among the "
            f"best {100 * rule.keep:.3g} % so far, so this is the most it can cost"
        )


def _proposals(search: PlannedSearch) -> Iterator[str]:
    """What proposals depend on beside sampler and seed."""
    if search.ordered:
        yield f"  ordered: a proposal sees the results up to {search.concurrency} trials before"
    if search.prior is not None:
        values = ", ".join(f"{key} {written(v)}" for key, v in search.prior.values().items())
        yield f"  prior: {values}, with the weight of {search.prior.confidence:g} trials"
    if search.warm_start:
        yield f"  warm start: from {', '.join(map(printable, search.warm_start))}"


def hours(plan: StudyPlan, survey: Survey, estimate: Estimate) -> RenderableType:
    """What the whole study will take, from what was timed."""
    table = _titled("timed on this machine", show_header=True)
    for column in ("network", "MACs", "images/s", "step", "epoch", "memory"):
        table.add_column(column, justify="left" if column == "network" else "right")
    for one in estimate.timed:
        step = one.rehearsal.step
        table.add_row(
            survey.name(one.candidate),
            format_amount(survey.cost(one.candidate).macs),
            f"{plan.training.batch_size / step:,.0f}",
            f"{1000 * step:,.1f} ms",
            duration(one.epoch),
            f"{format_amount(one.rehearsal.memory)}B",
        )
    gpu = plan.resources.gpu
    gpus = f"{estimate.work * gpu / 3600:,.2f} GPU-hours, " if gpu else ""
    cpus = f"{estimate.work * plan.resources.cpu / 3600:,.2f} CPU-hours"
    return Group(
        "",
        table,
        f"a mean epoch takes {estimate.epoch:,.1f} s (time follows {estimate.predictor})",
        f"the study: {duration(estimate.wall)} with {estimate.beside} trials "
        f"at once; {gpus}{cpus}; {format_amount(estimate.disk)}B of disk; "
        f"+- {estimate.error:.0%}",
        "  random images in memory were trained on, eagerly: reading or decoding images, "
        "starting workers, graphs, compilation and early stopping are not in it",
        *_cache(plan),
    )


def _aside(plan: StudyPlan) -> Iterator[str]:
    """Files of a tree that are not read, or that none were looked at."""
    if plan.data.unseen:
        yield (
            f"  {printable(plan.data.root)} is not there, or empty: no image was looked at, "
            "and their numbers are what is known of the data set"
        )
    yield from (f"  {printable(line)}" for line in plan.data.aside_lines())


def _cache(plan: StudyPlan) -> Iterator[str]:
    """Disk that decoded images take, and are kept on."""
    data = plan.data
    if data.tree and keeps_pixels(data):
        train = data.train + data.validation
        size = (train + data.test) * data.resize**2 * data.channels
        yield (
            f"  decoded images ({train:,} of train/, {data.test:,} of val/) take "
            f"{format_amount(size)}B of disk, once for all studies of them"
        )
