"""The card on how much the Pareto front depends on the seed."""

from analysis.cards.card import Card, Column, Shown, reason
from analysis.plots.attainment import draw_attainment
from analysis.questions.attainment import attained
from analysis.runs.networks import left_out_words
from analysis.runs.run import Run, RunError
from analysis.runs.scores import form_of, titled, words

_NAME = "attainment"
_QUESTION = "How far does the front depend on the seed?"


def attainment_card(run: Run) -> Card:
    """Show what a quarter, half and three quarters of the seeds attain."""
    try:
        found = attained(run)
    except RunError as error:
        return Card(name=_NAME, question=_QUESTION, refused=reason(error, run.folder))
    across, ranking = found.objectives
    said = (
        f"Of {found.networks:,} networks with {found.seeds} seeds each, {found.sometimes:,} "
        f"{'is' if found.sometimes == 1 else 'are'} on the front of some seed and "
        f"{found.always:,} on the front of every one."
    )
    shown = Shown(
        name="attainment-surfaces",
        caption=f"Empirical attainment surfaces of {words(ranking)} and {words(across)} over "
        f"{found.seeds} seeds: each seed has its own front of the same networks, and "
        "each line shows what at least that share of the seeds attain. Where the "
        "lines lie far apart, the front depends on the seed. They describe these "
        "seeds only and are not intervals. The front of a single seed contains "
        "lucky networks and lies beyond the front of means.",
        table=found.surfaces,
        columns=(
            Column("share of seeds", "share", ".0%"),
            Column(titled(across), across.column, ",.6g"),
            Column(titled(ranking), ranking.column, form_of(ranking)),
        ),
        draw=lambda: draw_attainment(found, title=run.described(short=True)),
        alt=f"Lines in steps: {words(ranking)} against {words(across)} that 25, 50 and 75 % of "
        f"the seeds attain. {said}",
    )
    return Card(
        name=_NAME, question=_QUESTION, sentences=(said, *left_out_words(run)), shown=(shown,)
    )
