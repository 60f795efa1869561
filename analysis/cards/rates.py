"""The card on whether one learning rate is fair to all networks."""

from collections.abc import Iterator

from analysis.cards.card import Card, Column, Shown, reason
from analysis.plots.rates import draw_rates
from analysis.questions.rates import COMMON, LAW, OWN, RULE, Rates, compared, tried
from analysis.questions.tau_words import order_shown, tau_words
from analysis.runs.run import Run, RunError
from analysis.runs.scores import capital, form_of, words
from analysis.statistics.intervals import Interval

_NAME = "rates"
_ROUNDING = 1e-9
_QUESTION = "Is one learning rate fair to all networks?"
_POLICIES = {COMMON: "one rate for all", RULE: "a rate that falls with depth^-3/2"}
_COLUMNS = (
    Column("network", "name"),
    Column("effective depth", "effective_depth", ".0f"),
    Column("best rate", "best_rate", ".3g"),
    Column("rate by the rule", "rule_rate", ".3g"),
)


def rates_card(run: Run) -> Card:
    """Show networks at their own best learning rate, at a common one and at one by depth."""
    try:
        found = tried(run)
    except RunError as error:
        return Card(name=_NAME, question=_QUESTION, refused=reason(error, run.folder))
    answer = compared(found)
    metric, form = words(run.tested), form_of(run.tested)
    table = answer.table.assign(
        **{key: answer.table[key].abs() for key in (OWN, COMMON, RULE) if key in answer.table}
    )
    reached = {OWN: "at its own", COMMON: "at the common one", RULE: "by the rule"}
    columns = [
        *(c for c in _COLUMNS if table[c.key].notna().any()),
        *(
            Column(f"{metric} {said}", key, form)
            for key, said in reached.items()
            if key in table
        ),
    ]
    said = tuple(_sentences(run, answer))
    shown = Shown(
        name="rates-networks",
        caption=_caption(run, answer),
        table=table,
        columns=tuple(columns),
        draw=lambda: draw_rates(found, answer, run.ranking, title=run.described(short=True)),
        alt=f"Curves of {words(run.ranking)} over the learning rate, one per network, with "
        f"the best rate of each. {' '.join(said)}",
    )
    return Card(name=_NAME, question=_QUESTION, sentences=said, shown=(shown,))


def _sentences(run: Run, answer: Rates) -> Iterator[str]:
    metric, unit = words(run.tested), "points of " * (run.tested.unit == "%")
    form = form_of(run.tested, "+")
    if answer.exponent is not None:
        yield (
            "The best rate, found by a parabola through the best rate tried and its "
            "neighbours, varies with the effective depth to the power "
            f"{answer.exponent.text()}; the law says {LAW:g}, and 0 would mean the same rate "
            "for all."
        )
    for policy, lost in answer.lost.items():
        rate = f" ({answer.common:.3g})" if policy == COMMON else ""
        ends = ""
        if lost.low is not None and lost.high is not None:
            ends = f" (95 % interval {lost.low:{form}} to {lost.high:{form}})"
        yield (
            f"With {_POLICIES[policy]}{rate} the {len(answer.table)} networks lose "
            f"{lost.estimate:{form}} {unit}{metric} on their own best rates, in the mean{ends}"
            f"{'' if lost.estimate >= 0 else ': below 0 it is a gain'}."
        )
    for policy, tau in answer.tau.items():
        yield _order(policy, tau, answer.p[policy], networks=len(answer.table))
    if answer.at_edge:
        yield (
            f"The best rate of {len(answer.at_edge)} of them is the smallest or the largest "
            "tried, so the true best may lie beyond."
        )


def _order(policy: str, tau: Interval, p: float | None, *, networks: int) -> str:
    """State whether a policy puts the networks in the order that their own best rates give."""
    shown = order_shown(tau.estimate, tau.low, tau.high, p)
    ways = {
        1: "puts the networks in partly the same order as their own best rates",
        0: "is not shown to put the networks in the order of their own best rates",
        -1: "puts the networks the other way round than their own best rates",
    }
    way = ways[shown]
    if tau.estimate > 1 - _ROUNDING:
        way = "puts the networks in the same order as their own best rates"
    said = tau_words(tau.estimate, tau.low, tau.high, p, networks=networks)
    return f"{capital(_POLICIES[policy])} {way}: tau_b {said}."


def _caption(run: Run, answer: Rates) -> str:
    seeds, chosen, judged = answer.seeds, words(run.ranking), words(run.tested)
    how = (
        f"Rates are chosen by {chosen} with all of {seeds} seeds but one, and judged by "
        f"{judged} with that one, in turn; intervals are of t over seeds"
        if seeds > 1
        else f"Rates are chosen by {chosen} and judged by {judged} of the same trials, "
        "because there is one seed, so the best rates look slightly too good"
    )
    return (
        f"{len(answer.table)} networks, each with the same rates. {how}. Both the common "
        "rate and the constant of the rule (arXiv 2602.07494) are the best for all networks "
        "together. Between two rates, a straight line over the logarithm gives what a "
        "network reaches."
    )
