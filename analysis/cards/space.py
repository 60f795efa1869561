"""Cards on the networks that were tried: their scores, their values, and parallel lines."""

import numpy as np

from analysis.cards.card import Card, Column, Shown, reason
from analysis.plots.space import draw_distributions, draw_marginals, draw_parallel
from analysis.questions.by_dimension import varied
from analysis.questions.distribution import distributions, thinned
from analysis.questions.marginals import best_by_value, marginals
from analysis.questions.remedies import for_more_networks
from analysis.questions.sampling import is_whole
from analysis.runs.networks import averaged, left_out_words
from analysis.runs.run import Run, RunError
from analysis.runs.scores import form_of, losses, titled, words
from search.schema.metrics import Objective

_TOP = 10  # networks shown in the table beside the lines
_COSTS = (Column("params", "params", ","), Column("MACs", "macs", ","))


def distribution(run: Run) -> Card:
    """Show how the scores of the space are distributed."""
    name, question = "distribution", "How are the scores of the space distributed?"
    try:
        every = distributions(run, rng=np.random.default_rng(0))
    except RunError as error:
        return Card(name=name, question=question, refused=reason(error, run.folder))
    if every.empty:
        return Card(
            name=name,
            question=question,
            refused="fewer than two networks were trained whole and lost no seed; "
            f"{for_more_networks(run)}",
        )
    values, metric = averaged(run)["val"], words(run.ranking)
    parts = [run.ranking.text(value) for value in np.quantile(values, [0, 0.5, 1])]
    said = (
        f"Of {len(values):,} networks the {metric} is {parts[0]} to {parts[2]}, with a median "
        f"of {parts[1]}."
    )
    shown = Shown(
        name="distribution-edf",
        caption=f"The share of the networks whose {metric} is as good or better (n = "
        f"{len(values):,}){_counted(run, set(every['kind']))}",
        table=thinned(every),
        columns=(
            Column("counted", "kind"),
            Column(titled(run.ranking), "value", form_of(run.ranking)),
            Column("share", "fraction", ".3f"),
            Column("95 % low", "low", ".3f"),
            Column("95 % high", "high", ".3f"),
        ),
        draw=lambda: draw_distributions(
            thinned(every), run.ranking, title=run.described(short=True)
        ),
        alt=f"Rising lines: the share of networks as good as each {metric} or better. {said}",
    )
    return Card(
        name=name, question=question, sentences=(said, *left_out_words(run)), shown=(shown,)
    )


def _counted(run: Run, kinds: set[str]) -> str:
    """How networks count in a distribution, and where its bands come from."""
    alike = "with every range of multiply-adds counting alike (Radosavovic et al. 2019)"
    normal = "multiply-adds uniform" in kinds
    if is_whole(run):
        said = f": as they are, and {alike}" if normal else ""
        return f"{said}. All candidates of the space were tried, so there is no sampling error."
    return (
        ", with 95 % bands that hold the whole true curve at once: as sampled by Dvoretzky, "
        f"Kiefer and Wolfowitz{f'; {alike} by a bootstrap' if normal else ''}."
    )


def values(run: Run) -> Card:
    """Show the mean over networks and the best network for each value of each dimension."""
    name, question = "values", "How do the networks of each value do, on average and at best?"
    means, best = marginals(run), best_by_value(run)
    if means.empty:
        return Card(
            name=name,
            question=question,
            refused=nothing_varied(run),
        )
    metric, form = words(run.ranking), form_of(run.ranking)
    said = (
        "These are not effects: networks with one value differ from those with another in "
        "everything else that was tried with it. To ask what changing one thing does, use "
        "sampler: axes."
    )
    keys = (Column("dimension", "dimension"), Column("value", "value"))
    count = Column("networks", "networks", ",")
    shown = Shown(
        name="values-mean",
        caption=f"Mean {metric} of all networks with each value, with 95 % t-intervals over "
        "networks, each alone; hollow where one network has no interval. These are "
        "not effects.",
        table=means,
        columns=(
            *keys,
            count,
            Column(f"mean {titled(run.ranking)}", "mean", form),
            Column("95 % low", "low", form),
            Column("95 % high", "high", form),
            Column("median MACs", "median_macs", ",.0f"),
        ),
        draw=lambda: draw_marginals(means, run.ranking, title=run.described(short=True)),
        alt=f"Points with intervals: mean {metric} of the networks with each value of "
        f"{', '.join(dict.fromkeys(means['dimension']))}.",
    )
    scores = [Column(titled(one), key, form) for one, key in _sides(run)]
    second = Shown(
        name="values-best",
        caption=f"The best network with each value by {metric}, and the number of networks "
        "it is the best of",
        table=best,
        columns=(*keys, count, Column("best network", "name"), *_COSTS, *scores),
    )
    return Card(
        name=name,
        question=question,
        sentences=(said, *left_out_words(run)),
        shown=(shown, second),
    )


def lines(run: Run) -> Card:
    """Show each network as a line through its values."""
    name, question = "lines", "What do the best networks have in common?"
    networks = averaged(run)
    if len(networks) < 2 or not varied(networks):
        return Card(
            name=name,
            question=question,
            refused=nothing_varied(run),
        )
    best = networks.loc[losses(run.ranking, networks["val"]).sort_values().index[:_TOP]]
    form = form_of(run.ranking)
    shown = Shown(
        name="lines-best",
        caption="Each network is a line through its values: the darker, the better by "
        f"{words(run.ranking)}; the best is thick and orange. Of {len(networks):,} "
        "networks at most 300 are drawn, evenly by rank. The table shows the best "
        f"{len(best)}.",
        table=best,
        columns=(
            Column("network", "name"),
            *(Column(key, key) for key in varied(networks)),
            *_COSTS,
            *(Column(titled(one), key, form) for one, key in _sides(run)),
        ),
        draw=lambda: draw_parallel(
            networks,
            (*varied(networks), "params", "macs"),
            run.ranking,
            title=run.described(short=True),
        ),
        alt="Lines through upright axes, one for each dimension, parameters and "
        f"multiply-adds; the best network is {best['name'].iloc[0]}.",
    )
    return Card(name=name, question=question, sentences=left_out_words(run), shown=(shown,))


def _sides(run: Run) -> tuple[tuple[Objective, str], ...]:
    return ((run.ranking, "val"), (run.tested, "test"))


def nothing_varied(run: Run) -> str:
    """Why a question about dimensions has no answer."""
    count = len(averaged(run))
    if count < 2:
        which = "one network" if count else "no network"
        return f"{which} was trained whole and lost no seed; {for_more_networks(run)}"
    return (
        f"no dimension varied among the {count:,} networks that were trained whole and lost no "
        "seed; give one two values or more"
    )
