"""The card on published good practice: what a run meets, and what to do about the rest."""

from analysis.cards.card import Card, Column, Shown
from analysis.questions.checklist import checklist
from analysis.questions.practice import MET, NOT_MET, STATES
from analysis.runs.run import Run

_COLUMNS = tuple(
    Column(title, key)
    for title, key in (
        ("asked by", "source"),
        ("item", "item"),
        ("state", "state"),
        ("what shows it, or what to do", "evidence"),
    )
)


def checklist_card(run: Run) -> Card:
    """Show which good practice this run meets."""
    items = checklist(run)
    counts = items["state"].value_counts()
    named = ", ".join(f"{counts[state]} {state}" for state in STATES if state in counts)
    missing = items.loc[items["state"] == NOT_MET, "item"]
    sentences = [f"Of {len(items)} items {named}."]
    if len(missing):
        sentences.append(f"Not {MET}: {'; '.join(missing)}.")
    shown = Shown(
        name="checklist-items",
        caption="Published good practice, item by item, from the run's manifest and journal: "
        "for architecture search Lindauer and Hutter (JMLR 21(243), 2020) and Yang et al. "
        "(ICLR 2020), for reproducibility Pineau et al. (JMLR 22(164), 2021)",
        table=items,
        columns=_COLUMNS,
    )
    return Card(
        name="checklist",
        question="What good practice does this run meet?",
        sentences=tuple(sentences),
        shown=(shown,),
    )
