"""Describes in a plan what the study can show: smallest detectable differences, seeds needed.

Takes the plan, its candidates and, where a run has measured it, the spread between seeds.
Gives a table for a person to read before anything is trained. No torch here.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from rich.console import Group, RenderableType
from rich.table import Table

from search.design import contrasts
from search.design.contrasts import Contrast
from search.design.power import Setting, detectable, seeds_needed
from search.schema.metrics import PERCENT
from search.schema.schedulers import scheduler_traits
from search.schema.study_plan import StudyPlan
from search.schema.wording import how_many
from search.space.members import members_of
from search.space.survey import Survey
from search.study.measured import Measured

_SPREADS = (0.4, 0.7, 1.1)  # points; assumed where no run has measured the spread
_DIFFERENCE = 0.5  # points; the difference to find, where the file gives no margin
_FEWEST = 2  # at least so many seeds are needed for an interval
_PAIR = {"a": 1.0, "b": -1.0}
# Level for pairs off axes: the report's other tests take the other half of the 5 %.
PAIRS_LEVEL = 0.975


class _Row(NamedTuple):
    """A planned comparison, how many comparisons it stands for, and their confidence level."""

    label: str
    weights: dict[str, float]
    stands_for: int = 1
    level: float = 0.95


def power(plan: StudyPlan, survey: Survey, measured: Measured | None = None) -> RenderableType:
    """Describe what a study can show, for a person to read.

    Args:
        plan: plan of the study.
        survey: its candidates.
        measured: the spread between seeds; with None, three assumed values are shown.
    """
    lines: list[RenderableType] = ["", "what it can show"]
    if plan.search.trials < 2:
        return Group(*lines, "  one network is trained: there is nothing to compare")
    rows = _rows(plan, survey)
    if not rows:
        return Group(*lines, "  nothing is planned of so few networks", *_asides(plan))
    lines += _conditions(plan, measured)
    if measured is None and plan.ranking.unit != PERCENT:
        return Group(
            *lines,
            f"  {plan.ranking.label} is not a percentage, so nothing is known of its spread",
            "  between seeds; measure it: --spread RUN, a run of the same data and metric",
        )
    if measured is None:
        lines += [_stated(plan, rows), *_all_at_once(plan, rows)]
    else:
        lines.append(_known(plan, rows, measured.spread.sigma))
    return Group(*lines, *_asides(plan))


def _rows(plan: StudyPlan, survey: Survey) -> list[_Row]:
    """The planned comparisons: along axes, or any two networks, and those of the file."""
    of, search = plan.analysis.of, plan.search
    rows: list[_Row] = []
    level = 0.95
    if search.has_axes:
        # With `width: fill` the base has no width, as width is solved for the budget.
        solved = search.solve or (None if search.base.width else "width")
        members = members_of(survey, solved=solved)
        # In the order of the sampler: the base first, then the cheapest.
        members = sorted(members, key=lambda one: (one.series != contrasts.BASE, one.macs))
        members = members[: search.trials]
        planned = [one for one in contrasts.along_axes(members, of=of) if one.kind != "network"]
        rows = [_Row(_words(one), dict(one.weights)) for one in planned if one.kind != "pair"]
        pairs = sum(one.kind == "pair" for one in planned)
    else:
        pairs = math.comb(search.trials, 2) if search.trials <= contrasts.MOST else 1
        level = PAIRS_LEVEL if search.trials <= contrasts.MOST else level
    if pairs:
        rows.append(_Row("any two networks", _PAIR, pairs, level))
    return rows + [_Row(name, each) for name, each in plan.analysis.contrasts.items()]


def _words(one: Contrast) -> str:
    if one.kind == "slope":
        minus = f" - {one.against}" if one.against else ""
        return f"{one.of}{minus}, MACs doubled"
    return f"{one.of} - {one.against}, {one.label}, {one.size}"


def _conditions(plan: StudyPlan, measured: Measured | None) -> Iterator[str]:
    """The conditions under which the numbers below hold."""
    seeds, unit = plan.search.seeds, _unit(plan)
    always = plan.analysis.stopping == "always_valid"
    if seeds < _FEWEST:
        yield "  search.seeds is 1: no difference between networks can be told from chance;"
        yield f"  write search: {{seeds: {_FEWEST}}}, or as many as the table says"
    else:
        yield f"  the smallest true difference ({unit}) that {seeds} seeds find in 80 of 100"
        yield f"  such studies, with 95 % intervals{' that hold at every look' * always}"
        yield from _of_pairs(plan)
    matters = _matters(plan, measured.spread.sigma if measured else 0.0)
    yield f"  seeds: those that find {matters:.3g} {unit}" + (
        "; analysis: {margin: ...} sets what matters" if plan.analysis.margin is None else ""
    )
    if measured is None:
        yield (
            "  the spread between seeds is not known: three are assumed; --spread RUN "
            "measures it"
        )
        return
    known = measured.spread
    networks = how_many(known.networks, "network")
    yield (
        f"  the spread between seeds is {known.sigma:.3g}, of {networks} "
        f"and {how_many(known.seeds, 'seed')} ({known.df} degrees of freedom)"
    )
    yield from (f"  {note}" for note in measured.notes)


def _of_pairs(plan: StudyPlan) -> Iterator[str]:
    """How the report compares two networks where the study has no axes."""
    if plan.search.has_axes:
        return
    if plan.search.trials <= contrasts.MOST:
        yield f"  (of any two networks {100 * PAIRS_LEVEL:g} %, for the report has other tests)"
        return
    yield f"  any two networks: alone only; of more than {contrasts.MOST} networks the report"
    yield "  compares no pairs, since at once few could be told apart"


def _stated(plan: StudyPlan, rows: Sequence[_Row]) -> Table:
    """For each assumed spread: the detectable difference, and the seeds for the margin."""
    table = _table([f"spread {spread:g}" for spread in _SPREADS])
    for row in rows:
        cells = (_cells(plan, row, spread=spread) for spread in _SPREADS)
        table.add_row(row.label, *(text for pair in cells for text in pair))
    return table


def _known(plan: StudyPlan, rows: Sequence[_Row], spread: float) -> Table:
    """For the measured spread: each comparison alone, and all of them at once (Bonferroni)."""
    at_once = sum(row.stands_for for row in rows)
    ways = {"alone": 1} | ({f"all {at_once:,} at once": at_once} if at_once > 1 else {})
    table = _table([*ways])
    for row in rows:
        cells = (_cells(plan, row, spread=spread, at_once=n) for n in ways.values())
        table.add_row(row.label, *(text for pair in cells for text in pair))
    return table


def _table(titles: Sequence[str]) -> Table:
    table = Table(box=None, show_header=True, pad_edge=False, padding=(0, 1))
    table.add_column("comparison", no_wrap=True)
    for title in titles:
        table.add_column(title, justify="right", no_wrap=True)
        table.add_column("seeds", justify="right", no_wrap=True)
    return table


def _cells(plan: StudyPlan, row: _Row, *, spread: float, at_once: int = 1) -> tuple[str, ...]:
    setting = replace(_setting(plan, spread), level=row.level).at_once(at_once)
    form = ".2f" if plan.ranking.unit == PERCENT else ".3g"
    shown = detectable(row.weights, setting, seeds=plan.search.seeds)
    needed = seeds_needed(row.weights, setting, difference=_matters(plan, spread))
    return (
        "nothing" if math.isinf(shown) else f"{shown:{form}}",
        "no number" if needed is None else f"{needed:,}",
    )


def _all_at_once(plan: StudyPlan, rows: Sequence[_Row]) -> Iterator[str]:
    """How much larger the differences must be if all comparisons are to hold at once."""
    at_once, seeds = sum(row.stands_for for row in rows), plan.search.seeds
    setting = _setting(plan, 1.0)
    if at_once == 1 or math.isinf(setting.reach(seeds, _PAIR)):
        return
    times = []
    for row in rows:
        alone = replace(setting, level=row.level)
        all_of_them = detectable(row.weights, alone.at_once(at_once), seeds=seeds)
        times.append(all_of_them / detectable(row.weights, alone, seeds=seeds))
    # Where the spread is estimated from all networks, the factor is the same except for pairs.
    up = "up to " if max(times) > 1.01 * min(times) else ""
    if math.isfinite(max(times)):
        yield (
            f"  that is each alone; for all {at_once:,} at once (Bonferroni) differences are "
            f"{up}{max(times):.2f} times as large"
        )


def _asides(plan: StudyPlan) -> Iterator[str]:
    # After a warm start all that are left may be tried.
    more = "" if plan.search.warm_start else "; raise search.trials"
    if plan.search.has_axes and plan.search.trials < plan.candidates:
        few = f"{plan.search.trials:,} of {plan.candidates:,} candidates"
        yield f"  only the base and the cheapest are tried, {few}: this"
        yield f"  plan is for those{more and f'{more} to try all'}"
    if plan.analysis.contrasts and plan.search.trials < plan.candidates:
        few = f"{plan.search.trials:,} of {plan.candidates:,} candidates"
        yield f"  {few} are tried: a contrast with a network that is not among"
        yield f"  them stays unanswered{more}"
    if scheduler_traits(plan.scheduler):
        yield f"  {plan.scheduler.name}: networks that it stops get no other seed, so fewer"
        yield "  networks show the spread than is assumed here"


def _setting(plan: StudyPlan, spread: float) -> Setting:
    always = plan.analysis.stopping == "always_valid"
    return Setting(networks=plan.search.trials, spread=spread, always_valid=always)


def _matters(plan: StudyPlan, spread: float) -> float:
    """The difference that seeds are computed for: the margin, half a point, or one spread."""
    return plan.analysis.margin or (_DIFFERENCE if plan.ranking.unit == PERCENT else spread)


def _unit(plan: StudyPlan) -> str:
    """The unit of a difference in the ranking metric."""
    ranking = plan.ranking
    return "points" if ranking.unit == PERCENT else (ranking.unit or ranking.label)
