"""What a study would do, before it does anything: counted, never guessed. No torch here."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from rich.console import Group, RenderableType
from rich.table import Table

from res2net.architecture import written
from search.images.storage import keeps_pixels
from search.profiling.estimate import Estimate
from search.schema.config import Config
from search.schema.datasets import DATASETS
from search.schema.units import amount, duration
from search.schema.yaml import ConfigError, Document
from search.space.survey import Near, Survey

_BINS = 8
_LISTED = 20  # candidates; of more, two are shown
_BAR = 36  # characters of the longest bar
_BACKWARD = 3  # a training step costs the forward pass three times: forward, two gradients


def counted(config: Config, survey: Survey) -> Config:
    """The config with a number of trials where the file says all."""
    trials = len(survey) if config.search.trials == "all" else config.search.trials
    search = config.search.model_copy(update={"trials": trials})
    return config.model_copy(update={"search": search})


def check(config: Config, survey: Survey, document: Document) -> None:
    """A study must have candidates, and as many as it has trials.

    Raises:
        ConfigError: nothing fits the budget (with the nearest on each side), or more trials
            than distinct candidates.
    """
    if len(survey) == 0:
        place = document.place(("budget",))
        near = "; ".join(_near_words(side, near) for side, near in survey.near.items())
        raise ConfigError(
            f"{place}: budget: none of {survey.total:,} candidates fits; {near}; "
            "widen the budget or the dimensions"
        )
    if config.search.sampler == "axes" and survey.base is None:
        values = config.search.base.model_dump(exclude_none=True)
        shown = ", ".join(f"{key} {value}" for key, value in values.items())
        raise ConfigError(
            f"{document.place(('search', 'base'))}: search.base: the network where the axes "
            f"meet ({shown}) is outside the budget, so nothing could be compared with it; "
            "widen the budget, or write another base"
        )
    if config.search.networks > len(survey):
        place = document.place(("search", "trials"))
        raise ConfigError(
            f"{place}: search.trials: {config.search.networks:,} is more than the "
            f"{len(survey):,} distinct candidates inside the budget; write at most that, or "
            "widen the budget or the dimensions"
        )


def picture(config: Config, survey: Survey) -> RenderableType:
    """The plan as a person reads it."""
    parts: list[RenderableType] = [
        f"study {config.study}: {survey.total:,} candidates, {len(survey):,} inside the budget",
        *_rejections(survey),
        "",
        _histogram("MACs", survey.costs.macs),
        _histogram("params", survey.costs.params),
        _dimensions(survey),
        _extremes(survey),
        *_work(config, survey),
    ]
    return Group(*parts)


def _rejections(survey: Survey) -> Iterator[str]:
    for reason, count in survey.rejected.items():
        yield f"  {count:>12,} rejected: {reason}"
    yield f"  {survey.duplicates:>12,} duplicates, named more than once in the file"


def _histogram(title: str, amounts: npt.NDArray[np.int64]) -> Table:
    """How the candidates spread, as bars of text."""
    bins = 1 if amounts.min() == amounts.max() else _BINS
    counts, edges = np.histogram(amounts, bins=bins)
    table = _titled(title, show_header=False)
    for count, low, high in zip(counts, edges, edges[1:], strict=False):
        bar = "#" * round(_BAR * count / counts.max())
        table.add_row(f"{amount(low)} to {amount(high)}", bar or ".", f"{count:,}")
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
            survey.architecture(candidate).name,
            f"{counted.macs:,}",
            f"{counted.params:,}",
            f"{counted.activations:,}",
        )
    return table


def _work(config: Config, survey: Survey) -> Iterator[str]:
    """Trials, epochs and multiply-adds of the whole study at the mean candidate."""
    search, confirm = config.search, config.confirm
    per_epoch = _BACKWARD * config.data.train_images * float(survey.costs.macs.mean())
    trials = search.networks * search.seeds
    epochs = trials * config.training.epochs
    seeds = f" ({search.networks} networks, {search.seeds} seeds each)"
    how = f"({search.sampler}, seed {search.seed})"
    yield ""
    yield (
        f"search: {trials} trials{seeds if search.seeds > 1 else ''} {how} of "
        f"{config.training.epochs} epochs over {config.data.train_images:,} images of "
        f"{config.data.name}, batch {config.training.batch_size}, {config.training.precision}"
    )
    recipe = config.training
    yield (
        f"  {recipe.optimizer}, {recipe.schedule} schedule, learning rate {recipe.peak_lr:.3g} "
        f"at its highest, weight decay {recipe.weight_decay:g}"
    )
    if survey.base is not None:
        solving = f", {search.solve} solving for the budget" if search.solve else ""
        name = survey.architecture(survey.base).name
        yield f"  axes: from {name}, one dimension at a time{solving}"
    if search.sampler in ("grid", "axes") and search.networks < len(survey):
        cheapest = f"the {search.networks} cheapest of {len(survey):,}"
        yield f"  {search.sampler}: {cheapest}, in order of MACs"
    if config.scheduler.name == "asha":
        scheduler = config.scheduler
        yield (
            f"  asha: from epoch {scheduler.grace} on, the best 1/{scheduler.reduction} of "
            "each rung goes on, so this is the most it can cost"
        )
    if confirm:
        most = min(confirm.top, search.networks) * confirm.seeds
        epochs += most * confirm.epochs
        top = min(confirm.top, search.networks)
        yield (
            f"confirm: the best {top}, {confirm.seeds} seeds each, "
            f"{confirm.epochs} epochs: {most} trials"
        )
    resources = config.resources
    yield (
        f"in all {epochs:,} epochs, about {epochs * per_epoch:.2g} multiply-adds of training; "
        f"a trial takes {resources.gpu} GPU and {resources.cpu} CPU"
    )
    yield from _cache(config)


def hours(config: Config, survey: Survey, estimate: Estimate) -> RenderableType:
    """What the whole study will take, from what was timed."""
    table = _titled("timed on this machine", show_header=True)
    for column in ("network", "MACs", "images/s", "step", "epoch", "memory"):
        table.add_column(column, justify="left" if column == "network" else "right")
    for one in estimate.timed:
        step = one.rehearsal.step
        table.add_row(
            survey.architecture(one.candidate).name,
            amount(survey.cost(one.candidate).macs),
            f"{config.training.batch_size / step:,.0f}",
            f"{1000 * step:,.1f} ms",
            duration(one.epoch),
            f"{amount(one.rehearsal.memory)}B",
        )
    gpu = config.resources.gpus
    gpus = f"{estimate.work * gpu / 3600:,.2f} GPU-hours, " if gpu else ""
    cpus = f"{estimate.work * config.resources.cpu / 3600:,.2f} CPU-hours"
    return Group(
        "",
        table,
        f"a mean epoch takes {estimate.epoch:,.1f} s (time follows {estimate.predictor})",
        f"the study: {duration(estimate.wall)} with {estimate.beside} trials "
        f"at once; {gpus}{cpus}; {amount(estimate.disk)}B of disk; +- {estimate.error:.0%}",
        "  random images in memory were trained on, eagerly: reading or decoding images, "
        "starting workers, graphs, compilation and early stopping are not in it",
        *_cache(config),
    )


def _cache(config: Config) -> Iterator[str]:
    """Disk that decoded images take, and are kept on."""
    data = config.data
    if DATASETS[data.name].tree and keeps_pixels(data):
        facts = data.facts
        size = (facts.train + facts.test) * data.side**2 * 3
        yield (
            f"  decoded images ({facts.train:,} of train/, {facts.test:,} of val/) take "
            f"{amount(size)}B of disk, once for all studies of them"
        )


def _near_words(side: str, near: Near) -> str:
    counted = near.cost
    return (
        f"nearest {side}: {near.architecture.name} with {counted.macs:,} MACs, "
        f"{counted.params:,} params, {counted.activations:,} activations"
    )
