"""The card that shows the predictions of two networks for the same images."""

import pandas as pd

from analysis.cards.card import Card, Column, Shown, reason
from analysis.plots.pictured import draw_pictured
from analysis.questions.pictured import Seen, pictured
from analysis.runs.run import Run, RunError
from analysis.runs.scores import form_of, titled, words
from search.schema.wording import how_many

_NAME = "pictured"
_QUESTION = "What do two networks make of the same images?"
_SAID = {
    "segmentation": "one colour per class; black is the background and white does not count",
    "saliency": "white stands out",
    "keypoints": "one colour per joint; the joints of an object are connected",
    "detection": "objects that a network is surer of than not",
    "instances": "objects that a network is surer of than not",
}


def pictured_card(run: Run) -> Card:
    """Show images with their ground truth beside the predictions of the networks."""
    try:
        seen = pictured(run)
    except RunError as error:
        return Card(name=_NAME, question=_QUESTION, refused=reason(error, run.folder))
    tested, count = run.tested, len(seen[0].scenes)
    table = pd.DataFrame([{"name": one.name, "score": one.score} for one in seen])
    said = " beside ".join(
        f"{one.name} ({words(tested)} {one.score:{form_of(tested)}})" for one in seen
    )
    shown = Shown(
        name="pictured-networks",
        caption=f"The first {how_many(count, 'test image')}, not selected: each image as it "
        "is, with the truth, and with the output of each network's first seed in the search; "
        "scores are means over all its seeds: "
        f"{_SAID.get(seen[0].facts['task'], 'as its task shows it')}.",
        table=table,
        columns=(Column("network", "name"), Column(titled(tested), "score", form_of(tested))),
        draw=lambda: draw_pictured(seen, score=words(tested), title=run.described(short=True)),
        alt=f"Rows of images: as they are, the truth, and what {_names(seen)} says.",
    )
    return Card(
        name=_NAME, question=_QUESTION, sentences=(f"Shown is {said}.",), shown=(shown,)
    )


def _names(seen: list[Seen]) -> str:
    return " and ".join(one.name for one in seen)
