"""Lists the cards: the questions that the report asks about one run and about several.

To add a question, add a line here.
"""

from collections.abc import Callable, Sequence

from analysis.cards.anytime import anytime_card
from analysis.cards.attainment import attainment_card
from analysis.cards.best import best_card
from analysis.cards.by_dimension import by_dimension
from analysis.cards.card import Card
from analysis.cards.changed import changed_card
from analysis.cards.checklist import checklist_card
from analysis.cards.expected_best import expected_best
from analysis.cards.fidelity import fidelity_card
from analysis.cards.forecast import forecast_card
from analysis.cards.importance import importance_card
from analysis.cards.improvement import improvement_card
from analysis.cards.isoflop import isoflop_card
from analysis.cards.laws import laws_card
from analysis.cards.networks_compared import compared_card
from analysis.cards.object_sizes import object_sizes_card
from analysis.cards.overlay import overlay_card
from analysis.cards.own import own_card
from analysis.cards.pairs import pairs_card
from analysis.cards.pictured import pictured_card
from analysis.cards.rates import rates_card
from analysis.cards.repeated import repeated_card
from analysis.cards.space import distribution, lines, values
from analysis.cards.transfer import transfer_card
from analysis.cards.zero_cost import zero_cost_card
from analysis.questions.object_sizes import sizes_of
from analysis.questions.pictured import has_pictures
from analysis.questions.series import is_along_axes
from analysis.runs.run import Run

OF_A_RUN: tuple[Callable[[Run], Card], ...] = (
    own_card,
    laws_card,
    best_card,
    pairs_card,
    by_dimension,
    lines,
    values,
    distribution,
    importance_card,
    expected_best,
    anytime_card,
    attainment_card,
    fidelity_card,
    rates_card,
    zero_cost_card,
    compared_card,
    checklist_card,
)
# Questions that apply only to some studies and are not asked about others.
OF_SOME: tuple[tuple[Callable[[Run], bool], Callable[[Run], Card]], ...] = (
    (lambda run: run.plan.transfer is not None, transfer_card),
    (lambda run: bool(sizes_of(run)), object_sizes_card),
    (has_pictures, pictured_card),
)
OF_RUNS: tuple[Callable[[Sequence[Run]], Card], ...] = (
    overlay_card,
    improvement_card,
    repeated_card,
    forecast_card,
    isoflop_card,
)
OF_SOME_RUNS: tuple[tuple[Callable[[Run], bool], Callable[[Sequence[Run]], Card]], ...] = (
    (is_along_axes, changed_card),
)


def cards_of(run: Run) -> list[Card]:
    """All cards for a run, in the order of the report."""
    some = [make for has, make in OF_SOME if has(run)]
    return [make(run) for make in (*some, *OF_A_RUN)]


def cards_of_runs(runs: Sequence[Run]) -> list[Card]:
    """All cards for these runs together, in the order of the report."""
    some = [make(runs) for has, make in OF_SOME_RUNS if all(map(has, runs))]
    return some + [make(runs) for make in OF_RUNS]
