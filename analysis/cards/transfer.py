"""The card on whether networks keep their ranks when their weights go to another task."""

from collections.abc import Iterator

from analysis.cards.card import Card, Column, Shown, reason
from analysis.plots.transfer import agreement, draw_transferred
from analysis.questions.remedies import for_more_seeds
from analysis.questions.transfer import MOST, Pairs, Transferred, transferred
from analysis.runs.networks import left_out_words
from analysis.runs.run import Run, RunError
from analysis.runs.scores import form_of, score_of
from analysis.statistics.components import between
from res2net.file_names import printable
from search.schema.transfer import PlannedTransfer
from search.schema.wording import how_many, how_many_each

_NAME = "transfer"
_QUESTION = "Does the ranking of the networks hold on this task?"


def transfer_card(run: Run) -> Card:
    """Show the ranks of networks in the source of their weights and in this run."""
    try:
        found = transferred(run)
    except RunError as error:
        return Card(name=_NAME, question=_QUESTION, refused=reason(error, run.folder))
    there, here = score_of(found.source), run.score
    source, said = _source(run), tuple(_sentences(run, found))
    table = found.table.assign(
        source=there.of(found.table["source"]), here=here.of(found.table["here"])
    )
    shown = Shown(
        name="transfer-networks",
        caption=_caption(found, source),
        table=table,
        columns=(
            Column("network", "label"),
            Column("MACs", "macs", ",.0f"),
            Column("seeds", "seeds", ","),
            Column(f"{there.label}, in the source", "source", form_of(found.source)),
            Column(f"{here.label}, this task", "here", form_of(run.tested)),
        ),
        draw=lambda: draw_transferred(
            found, here, source=source, title=run.described(short=True)
        ),
        alt=f"Points: {here.name} of this task over {there.name} {source}. {' '.join(said)}",
        sortable=True,
    )
    return Card(name=_NAME, question=_QUESTION, sentences=said, shown=(shown,))


def _source(run: Run) -> str:
    """State where the weights came from."""
    taken = run.plan.transfer
    assert isinstance(taken, PlannedTransfer), "the question refuses others"
    places = [printable(one) for one in taken.sources]
    return f"in {places[0]}" if len(places) == 1 else f"in {len(places)} sources"


def _sentences(run: Run, found: Transferred) -> Iterator[str]:
    there, here = score_of(found.source), run.score
    yield f"{agreement(found)}, of {here.name} here with {there.name} {_source(run)}."
    if found.pairs is not None:
        yield _pairs_words(found.pairs)
    elif len(found.table) > MOST:
        yield f"More than {MOST} networks: pairs are not compared."
    elif found.trials["repeat"].nunique() == 1:
        yield f"With one seed no two networks can be told apart; {for_more_seeds(run)}."
    of = {"in the source": found.ceilings[0], "here": found.ceilings[1]}
    known = [f"{one.estimate:.2f} {where}" for where, one in of.items() if one is not None]
    if known:
        yield (
            "Two independent sets of as many seeds would rank these networks alike by tau_b "
            f"{' and '.join(known)}: chance alone keeps tau_b that far from 1."
            + _between(found)
        )
    yield from left_out_words(run)


def _between(found: Transferred) -> str:
    """Say what tau_b chance would leave between the source and here."""
    there, here = found.ceilings
    if there is None or here is None:
        return ""
    both = between(there.estimate, here.estimate)
    return (
        f" If both truly ranked them alike, tau_b between the two would be about {both:.2f}, "
        "as far as their seeds vary independently."
    )


def _pairs_words(pairs: Pairs) -> str:
    said = (
        f"Of {pairs.all} pairs of networks the source tells {pairs.apart} apart (95 % "
        "intervals of the network + seed model, all at once)"
    )
    if not pairs.apart:
        return f"{said}."
    return (
        f"{said}: {pairs.same} of these this task tells apart the same way, {pairs.opposite} "
        f"the other way, and {pairs.untold} it does not tell apart."
    )


def _caption(found: Transferred, source: str) -> str:
    each = how_many_each(found.table["seeds"].tolist(), "seed")
    interval = "its interval is by the jackknife over networks, each mean with the noise of its"
    interval += " seeds; of fewer than 8 there is none, and p counts all orders"
    return (
        f"{how_many(len(found.table), 'network')}, {each} each: a backbone "
        f"here started from the final weights of the same network and seed {source}. "
        f"Kendall's tau_b of means over seeds; {interval}. These are the networks whose "
        "weights the source kept: where it kept only its best, they differ less than all "
        "networks would, and agree less."
    )
