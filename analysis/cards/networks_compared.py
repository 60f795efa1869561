"""The card on which networks of a run differ, by ranks over seeds and by effect sizes."""

from analysis.cards.card import Card, Column, Shown, reason
from analysis.plots.networks_compared import draw_networks_compared
from analysis.questions.networks_compared import MOST, Compared, networks_compared
from analysis.runs.run import Run, RunError
from analysis.runs.scores import form_of, titled, words
from analysis.runs.wording import p_words

_NAME, _QUESTION = "networks-compared", "Which networks can be told apart by their seeds?"


def compared_card(run: Run) -> Card:
    """Show mean ranks with the critical difference, and effect sizes against the best."""
    try:
        found = networks_compared(run)
    except RunError as error:
        return Card(name=_NAME, question=_QUESTION, refused=reason(error, run.folder))
    said = _sentences(found)
    table, seeds = found.table, found.ranks.seeds
    of = f"the {MOST} best of {found.of:,}" if found.of > MOST else f"{found.of:,}"
    left = f" {found.left_out:,} more lack a seed." if found.left_out else ""
    best = table.loc[table["g"].isna(), "name"]
    against = f" against {best.iloc[0]}" if len(best) == 1 else ""
    shown = Shown(
        name="networks-compared-ranks",
        caption=f"Ranks by {words(run.ranking)} in each of {seeds} shared seeds, of {of} "
        f"networks.{left} Critical difference: Nemenyi's at 95 % for all pairs at "
        f"once (Demsar 2006). Hedges' g{against}, which has the best mean: the "
        "difference divided by the spread of seeds pooled over these networks, "
        "above 0 is worse; 95 % intervals by the noncentral t, each alone and as if "
        "the best had been named beforehand: it was chosen by these seeds, so g is "
        "too large on average. Cliff's delta: the share of pairs of seeds in which "
        "the network is worse minus the share in which it is better.",
        table=table,
        columns=(
            Column("network", "name"),
            Column("mean rank", "rank", ".2f"),
            Column(f"mean {titled(run.ranking)}", "mean", form_of(run.ranking)),
            Column("Hedges' g", "g", "+.2f"),
            Column("95 % low", "low", "+.2f"),
            Column("95 % high", "high", "+.2f"),
            Column("Cliff's delta", "delta", "+.2f"),
        ),
        draw=lambda: draw_networks_compared(found, title=run.described(short=True)),
        alt=f"Points: mean rank of each network over seeds, the best on top. {' '.join(said)}",
    )
    return Card(name=_NAME, question=_QUESTION, sentences=said, shown=(shown,))


def _sentences(found: Compared) -> tuple[str, ...]:
    table, ranks = found.table, found.ranks
    first = (
        f"By mean rank over {ranks.seeds} seeds {table['name'].iloc[0]} is the first of "
        f"{len(table)}"
    )
    if found.untested:
        return (f"{first}; nothing is tested, for {found.untested}.",)
    near = table["rank"] - table["rank"].iloc[0] <= ranks.distance + 1e-9
    said = [
        f"{first}; with a critical difference of {ranks.distance:.2f} ranks "
        + (
            "none of the others can be told from it."
            if near.all()
            else f"{int(near.sum()) - 1} of the others cannot be told from it."
        )
    ]
    if ranks.p is not None:
        said.append(f"Friedman's test that all networks are alike has {p_words(ranks.p)}.")
    if ranks.seeds < 10:
        said.append(
            f"With {ranks.seeds} seeds both detect only large differences: networks that "
            "they cannot tell apart need not be alike."
        )
    return tuple(said)
