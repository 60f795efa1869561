"""Describes in a study's plan what its trials do and cost. No torch here."""

from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType
from rich.table import Table

from res2net.architecture import written
from res2net.file_names import printable
from search.images.storage import keeps_pixels
from search.plan_recipe import recipe_lines, transfer_lines, values_of
from search.profiling.estimate import Estimate
from search.samplers.ordered import NOTHING, Elsewhere, Tried
from search.schema.samplers import SAMPLERS
from search.schema.schedulers import scheduler_traits
from search.schema.search import PlannedSearch
from search.schema.study_plan import StudyPlan
from search.schema.units import duration, format_amount
from search.schema.wording import how_many
from search.space.survey import Survey

_BACKWARD = 3  # a training step costs three forward passes: the forward pass and two gradients


def titled(title: str, *, show_header: bool) -> Table:
    """An empty table of a plan."""
    return Table(box=None, title=title, title_justify="left", show_header=show_header)


def work(
    plan: StudyPlan,
    survey: Survey,
    *,
    gpu: float | str,
    precision: str,
    elsewhere: Elsewhere = NOTHING,
) -> Iterator[str]:
    """Trials, epochs and multiply-adds of the whole study, of the mean network tried.

    Args:
        plan: plan of the study.
        survey: its candidates.
        gpu: the GPU share of a trial as the space file gives it, a number or auto.
        precision: number format of the training in words.
        elsewhere: what other runs have trained, and this study does not.
    """
    search, confirm, data = plan.search, plan.confirm, plan.data
    sampler, known = search.sampler.name, elsewhere.known
    trials = plan.search_trials()
    each = [f"{plan.tries} tries"] * (plan.tries > 1)
    each += [f"{search.seeds} seeds"] * (search.seeds > 1)
    seeds = f" ({how_many(search.trials, 'network')}, {' and '.join(each)} each)"
    how = f"({sampler}, seed {search.seed})"
    yield ""
    yield (
        f"search: {how_many(trials, 'trial')}{seeds if each else ''} {how} of "
        f"{_epochs(plan)} over {data.train:,} images "
        f"of {data.name}, batch {plan.training.batch_size}, {precision}"
    )
    yield f"  compared by {', '.join(one.name for one in plan.objectives)}"
    for limits in plan.budget.measured():
        yield (
            f"  {limits.in_words}: measured on the trial's device; a network outside it is "
            "not trained"
        )
    yield from (*recipe_lines(plan), *transfer_lines(plan))
    yield from (*_proposals(search), *_at_random(plan), *_scored(plan))
    if survey.base is not None:
        solving = f", {search.solve} solving for the budget" if search.solve else ""
        name = survey.name(survey.base)
        yield f"  axes: from {name}, one dimension at a time{solving}"
    if "ordered" in SAMPLERS[sampler].traits and search.trials < len(survey) - len(known):
        yield f"  {sampler}: {_cheapest(plan, survey, known)}"
    yield from _stopping(plan)
    if confirm:
        yield (
            f"confirm: the best {plan.confirmed}, {how_many(confirm.seeds, 'seed')} each, "
            f"{how_many(confirm.epochs, 'epoch')}: {how_many(plan.confirm_trials, 'trial')}"
        )
    yield _in_all(plan, survey, elsewhere, gpu=gpu)
    if plan.execution.replay:
        yield f"a replay, in simulated time on {plan.execution.in_words}"
    yield from _aside(plan)
    yield from _cache(plan)


def _epochs(plan: StudyPlan) -> str:
    epochs = plan.training.epochs
    if "epochs" not in plan.varied:
        return how_many(epochs, "epoch")
    return f"{values_of(plan, 'epochs', epochs)} epochs"


def _in_all(plan: StudyPlan, survey: Survey, elsewhere: Elsewhere, *, gpu: float | str) -> str:
    """Epochs and multiply-adds of all trials that are to be trained."""
    known, taken_over = elsewhere
    every = survey.costs.model_macs
    epochs = sum(trials * epochs for trials, epochs in plan.phases)
    macs = epochs * Tried(survey, plan.search, known).mean(every)
    epochs -= len(taken_over) * plan.epochs("search")
    macs -= plan.epochs("search") * float(every[list(taken_over)].sum())
    most = "at most " * ("epochs" in plan.varied)
    without = (
        f" without the {how_many(len(taken_over), 'trial')} taken over" if taken_over else ""
    )
    work = _BACKWARD * plan.data.train * max(macs, 0.0)
    return (
        f"in all {most}{how_many(epochs, 'epoch')}{without}, about {work:.2g} multiply-adds of "
        f"training; a trial takes {gpu or 'no'} GPU and {plan.resources.cpu} CPU"
    )


def _cheapest(plan: StudyPlan, survey: Survey, known: Sequence[int]) -> str:
    """Which of the candidates a sampler that goes by cost tries, if not all."""
    search = plan.search
    if search.per_band:
        return f"the {search.per_band} cheapest of each band of the budget, in order of MACs"
    left = f"{len(survey) - len(known):,}{' that are left' if known else ''}"
    if survey.base is not None and survey.base not in known:
        return f"the base and the {search.trials - 1} cheapest others of {left}"
    return f"the {search.trials} cheapest of {left}, in order of MACs"


def _stopping(plan: StudyPlan) -> Iterator[str]:
    """Which trials may end before their last epoch."""
    scheduler = plan.scheduler
    if scheduler_traits(scheduler):
        keys = ", ".join(f"{key} {value}" for key, value in scheduler.options.items())
        yield (
            f"  {scheduler.name}{f' ({keys})' if keys else ''}: trials may end early, so this "
            "is the most it can cost"
        )
    if plan.fidelity is not None:
        yield (
            f"  fidelity: the first {plan.fidelity.check} networks run to their end; at early "
            "epochs that do not rank them as the last does (tau_b of at least "
            f"{plan.fidelity.at_least:g}), no trial is stopped"
        )


def _scored(plan: StudyPlan) -> Iterator[str]:
    """How untrained networks are scored, and how many are then trained."""
    rule = plan.zero_cost
    if rule is None:
        return
    yield f"  zero_cost: each network is scored untrained by {', '.join(rule.scores)}"
    if rule.keep is not None:
        yield (
            f"  after {rule.after} networks one is trained only if its {rule.by} is among the "
            f"best {100 * rule.keep:.3g} % so far, so this is the most it can cost"
        )


def _proposals(search: PlannedSearch) -> Iterator[str]:
    """What proposals depend on besides the sampler and the seed."""
    if search.ordered and search.concurrency:  # one demands the other
        yield (
            "  ordered: a proposal sees the results up to "
            f"{how_many(search.concurrency, 'trial')} before it"
        )
    if search.prior is not None:
        values = ", ".join(f"{key} {written(v)}" for key, v in search.prior.values().items())
        yield f"  prior: {values}, with the weight of {search.prior.confidence:g} trials"
    if search.warm_start:
        yield f"  warm start: from {', '.join(map(printable, search.warm_start))}"


def _at_random(plan: StudyPlan) -> Iterator[str]:
    """How many networks a sampler tries before it learns from results."""
    search, sampler = plan.search, plan.search.sampler
    facts, early = SAMPLERS[sampler.name], scheduler_traits(plan.scheduler)
    if "pauses" in early and "adaptive" in facts.traits:
        yield (
            f"  {sampler.name}: hears of a network when its trial has ended, and "
            f"{plan.scheduler.name} pauses most; random, or a scheduler that stops them, fits "
            "better"
        )
    first = facts.at_random
    count = sampler.options[first] if isinstance(first, str) else first
    if not count or search.warm_start:
        return
    how = "drawn at random" if search.prior is None else "drawn from the prior"
    tried, key = search.per_band or search.trials, "per_band" if search.per_band else "trials"
    partly = facts.from_stopped and len(plan.objectives) == 1
    how_far = "ended" if partly or not early else "run to their end"
    ended = f"{count} have {how_far}{' in its band' if search.per_band else ''}"
    if count < tried:
        yield f"  {sampler.name}: networks are {how} until {ended}"
        return
    fewer = f", or a {first} below that" if isinstance(first, str) else ""
    yield (
        f"  {sampler.name}: networks are {how} until {ended}, of {tried} in all, so "
        f"it learns nothing; write more {key}{fewer}"
    )


def _in_parts(estimate: Estimate) -> Iterator[str]:
    parts = max(one.rehearsal.parts for one in estimate.timed)
    if parts > 1:
        yield f"of the largest, batches fit into memory only in {parts} parts, as in a trial"


def hours(plan: StudyPlan, survey: Survey, estimate: Estimate) -> RenderableType:
    """The estimated time of the whole study, from measured times."""
    table = titled("timed on this machine", show_header=True)
    for column in ("network", "MACs", "images/s", "step", "epoch", "memory"):
        table.add_column(column, justify="left" if column == "network" else "right")
    for one in estimate.timed:
        step = one.rehearsal.step
        table.add_row(
            survey.name(one.candidate),
            format_amount(survey.cost(one.candidate).macs),
            _rate(plan.training.batch_size / step),
            f"{1000 * step:,.1f} ms",
            duration(one.epoch),
            f"{format_amount(one.rehearsal.memory)}B",
        )
    gpu = plan.resources.gpu
    gpus = f"{estimate.work * gpu / 3600:,.2f} GPU-hours, " if gpu else ""
    cpus = f"{estimate.work * plan.resources.cpu / 3600:,.2f} CPU-hours"
    execution = estimate.timed[0].rehearsal.execution
    return Group(
        "",
        table,
        *_in_parts(estimate),
        f"a mean epoch takes {estimate.epoch:,.1f} s (time follows {estimate.predictor})",
        f"the study: {duration(estimate.wall)} with {how_many(estimate.beside, 'trial')} "
        f"at once; {gpus}{cpus}; {format_amount(estimate.disk)}B of disk; "
        f"+- {estimate.error:.0%}",
        f"  measured on random images in memory ({execution}): reading or decoding images, "
        "starting workers, capturing graphs, compilation and early stopping are not included",
        *_cache(plan),
    )


def _rate(images: float) -> str:
    """Images per second; large networks on a CPU train less than one a second."""
    return f"{images:,.0f}" if images >= 10 else f"{images:.2g}"


def _aside(plan: StudyPlan) -> Iterator[str]:
    """Files of a tree that are not read, or a note that no image was looked at."""
    if plan.data.unseen:
        yield (
            f"  {printable(plan.data.root)} is missing or empty: no image was looked at, and "
            "the counts are what is known of the data set"
        )
    yield from (f"  {printable(line)}" for line in plan.data.aside_lines())


def _cache(plan: StudyPlan) -> Iterator[str]:
    """Disk space that decoded images take, and keep."""
    data = plan.data
    if data.tree and keeps_pixels(data):
        train = data.train + data.validation
        size = (train + data.test) * data.resize**2 * data.channels
        yield (
            f"  decoded images ({train:,} of train/, {data.test:,} of val/) take "
            f"{format_amount(size)}B of disk, once for all studies that use them"
        )
