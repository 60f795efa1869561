"""The card on which network is truly the best, without the luck of selection."""

from analysis.cards.card import Card, Column, Shown, reason
from analysis.plots.best import draw_best
from analysis.questions.best import among, best_networks, probability_words
from analysis.runs.networks import left_out_words
from analysis.runs.run import Run, RunError
from analysis.runs.scores import form_of, titled


def best_card(run: Run) -> Card:
    """Show which network is truly the best."""
    question = "Which network is truly the best?"
    try:
        worth = best_networks(run)
    except RunError as error:
        return Card(name="best", question=question, refused=reason(error, run.folder))
    form = form_of(run.ranking)
    first = worth.iloc[0]
    columns = [
        Column("network", "name"),
        Column("params", "params", ","),
        Column("MACs", "macs", ","),
        Column("seeds", "seeds", ","),
    ]
    for side, metric in (("val", run.ranking), ("test", run.tested)):
        columns += [
            Column(titled(metric), f"{side}_mean", form),
            Column(f"{metric.label}, shrunken", side, form),
            Column(f"{metric.label}, 95 % low", f"{side}_low", form),
            Column(f"{metric.label}, 95 % high", f"{side}_high", form),
        ]
    columns += [
        Column("truly the best", "best", ".2f"),
        Column("truly on the front of MACs", "front", ".2f"),
    ]
    shown = Shown(
        name="best-networks",
        caption="An estimate of each network's true mean, treating the networks as one "
        "population: its mean over seeds, shrunk towards the mean of all networks "
        "according to how much of their spread is noise, with 95 % intervals that "
        "are valid for whichever network is selected (for these seeds: what a seed adds to all "
        "networks is not in them); and the probability that its "
        "true mean is the best, or that no network has both fewer multiply-adds and "
        "a better true mean. They are counted in draws: 1.00 is above 0.99, and 0.00 below "
        "0.01.",
        table=worth,
        columns=tuple(columns),
        draw=lambda: draw_best(worth, run.ranking, title=run.described(short=True)),
        alt=f"Points with intervals: {titled(run.ranking)} of the most probable best networks.",
        sortable=True,
    )
    sentence = (
        f"The most probable best is {first['name']}, with probability "
        f"{probability_words(first['best'])}, of {among(run, len(worth))}."
    )
    return Card(
        name="best",
        question=question,
        sentences=(sentence, *left_out_words(run)),
        shown=(shown,),
    )
