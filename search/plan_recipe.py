"""Describes in a study's plan how trials train, and their initial weights. No torch here."""

from collections.abc import Iterator, Sequence

from res2net.file_names import printable
from search.schema.schedulers import scheduler_traits
from search.schema.study_plan import StudyPlan


def recipe_lines(plan: StudyPlan) -> Iterator[str]:
    """How trials train, and which settings vary from trial to trial."""
    recipe, rule = plan.training, plan.lr_rule
    rate = values_of(plan, "lr", recipe.lr, recipe.peak_lr / recipe.lr)
    if rule is not None:
        rate = (
            f"by depth, {recipe.peak_lr:.3g} for an effective depth of {rule.effective_depth},"
        )
    yield (
        f"  {recipe.optimizer}, {recipe.schedule} schedule, learning rate {rate} at its peak, "
        f"weight decay {values_of(plan, 'weight_decay', recipe.weight_decay)}"
    )
    if "momentum" in plan.varied:
        yield f"  momentum {values_of(plan, 'momentum', recipe.momentum)}"
    if plan.search.tune is not None:
        keys, others = " and ".join(plan.search.tune.keys), plan.search.seeds - 1
        yield (
            f"  {keys} tuned inside each network: {plan.tries} tries with the first seed, of "
            f"which the best represents it{' with the other seeds' * bool(others)}"
        )
        if scheduler_traits(plan.scheduler):
            yield (
                f"  {plan.scheduler.name} stops tries by their early epochs, where high rates "
                "look worse than in the end: a network may lose its best"
            )


def transfer_lines(plan: StudyPlan) -> Iterator[str]:
    """Which weights backbones start from, and which networks, there or here, are left out."""
    taken = plan.transfer
    if taken is None:
        return
    networks = len({one.network for one in taken.files})
    sources = ", ".join(map(printable, taken.sources))
    yield (
        f"  transfer: backbones start from {len(taken.files)} files of trained weights, of "
        f"{networks} network{'s' * (networks > 1)}, from {sources}; heads start fresh"
    )
    if taken.outside:
        yield f"    {_some(taken.outside)} there, outside this space or its budget"
    if taken.short:
        yield f"    {_some(taken.short)} left out because they lack weights for some seeds"


def _some(names: Sequence[str]) -> str:
    shown, more = ", ".join(map(printable, names[:3])), len(names) - 3
    return f"{len(names)} network{'s' * (len(names) > 1)} ({shown}{', ...' * (more > 0)})"


def values_of(plan: StudyPlan, key: str, usual: float, factor: float = 1.0) -> str:
    """The values of a setting in this study, or its single value.

    Args:
        plan: plan of the study.
        key: key of the training section.
        usual: its value where it is not a dimension of the space.
        factor: the values are multiplied by this before they are shown.
    """
    form = "g" if key == "epochs" else ".3g"
    values = [f"{value * factor:{form}}" for value in plan.varied.get(key, (usual,))]
    return " or ".join(values) if len(values) <= 3 else f"{values[0]} to {values[-1]}"
