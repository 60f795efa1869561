"""The card that compares all pairs of a few networks, such as values of one dimension."""

from analysis.cards.card import P_VALUE, Card, Column, Shown, reason
from analysis.plots.pairs import draw_pairs
from analysis.questions.equal_size import missing
from analysis.questions.pairs import pairs_compared, told_apart
from analysis.runs.run import Run, RunError


def pairs_card(run: Run) -> Card:
    """Show which of a few networks differ."""
    question = "Which of the networks differ, two by two?"
    try:
        frame = pairs_compared(run)
    except RunError as error:
        return Card(name="pairs", question=question, refused=reason(error, run.folder))
    said, claims = told_apart(frame)
    said += missing(run, run.whole())
    own = "a spread of their own for those that vary more"
    spread = "one spread for all" if frame.attrs["pooled"] else f"one spread, and {own}"
    form = frame.attrs["form"]
    shown = Shown(
        name="pairs-compared",
        caption=f"Differences in {run.score.name} between every two of "
        f"{frame.attrs['networks']} networks, the better one first: network + seed "
        f"model, {spread}; 97.5 % intervals alone and all at once, because two "
        "questions of this page share the 5 %.",
        table=frame,
        columns=(
            Column("first", "a_label"),
            Column("second", "b_label"),
            Column("times the MACs", "macs_ratio", ".3f"),
            Column("seeds", "seeds", ","),
            Column(f"difference ({run.score.difference})", "difference", form),
            Column("low", "low", form),
            Column("high", "high", form),
            Column("low, all at once", "low_all", form),
            Column("high, all at once", "high_all", form),
            Column("p, all at once", "p_all", P_VALUE),
        ),
        draw=lambda: draw_pairs(frame, run.score, title=run.described(short=True)),
        alt=f"Points with intervals: difference of {run.score.name} of every two networks.",
        sortable=True,
    )
    return Card(
        name="pairs",
        question=question,
        sentences=tuple(said),
        claims=tuple(claims),
        shown=(shown,),
    )
