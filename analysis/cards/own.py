"""The card on the comparisons that a space file names, for runs not along axes."""

import pandas as pd

from analysis.cards.axes import compared_columns
from analysis.cards.card import Card, Shown
from analysis.plots.equal_size import draw_networks
from analysis.questions import series
from analysis.questions.equal_size import comparisons, missing
from analysis.questions.equal_size_words import Said, conclusion, together_words
from analysis.questions.stopping import rule_of
from analysis.runs.run import Run, RunError

_QUESTION = "What came of the comparisons that the space file names?"


def own_card(run: Run) -> Card:
    """Show the contrasts of `analysis: {contrasts: ...}`, estimated from all complete trials.

    For runs along axes, the conclusion contains them together with all planned contrasts.
    """
    asked = run.plan.analysis
    why = _why_not(run)
    if why:
        return Card(name="own", question=_QUESTION, refused=why)
    points = _points(run)
    compared = comparisons(points, analysis=asked, rule=rule_of(run))
    said = conclusion(compared, run.score, analysis=asked)
    said += [Said(sentence) for sentence in missing(run, points)]
    own = compared[compared["kind"] == "own"]
    shown = Shown(
        name="own-contrasts",
        caption=f"Contrasts of {run.score.name}, as the space file names them. "
        f"{together_words(compared)}",
        table=own,
        columns=compared_columns(run.score),
        draw=lambda: draw_networks(
            own_of(compared), run.score, title=run.described(short=True)
        ),
        alt="Points with intervals: the contrasts of the space file.",
    )
    return Card(
        name="own",
        question=_QUESTION,
        sentences=tuple(one.text for one in said),
        claims=tuple(one.text for one in said if one.claims),
        shown=(shown,) if len(own) else (),
    )


def own_of(compared: pd.DataFrame) -> pd.DataFrame:
    """The rows of a table of comparisons that the space file names, with its `attrs`.

    Args:
        compared: from `analysis.questions.equal_size.comparisons`.
    """
    own = compared[compared["kind"] == "own"]
    own.attrs |= compared.attrs
    return own


def _why_not(run: Run) -> str:
    if not run.plan.analysis.contrasts:
        return "it names none (analysis.contrasts)"
    if run.whole().empty:
        return "no trial was trained to its end"
    if "axes" not in run.manifest.sampler_traits:
        return ""
    try:
        series.points(run)
    except RunError:
        return ""
    return "the conclusion has them"


def _points(run: Run) -> pd.DataFrame:
    """The complete trials as points, with each network by itself."""
    whole = run.whole()
    whole = whole[whole[run.tested.column].notna()]
    return pd.DataFrame(
        {
            "series": "",
            "label": whole["name"],
            **{key: whole[key] for key in ("name", "params", "macs", "repeat")},
            "score": run.score.of(whole[run.tested.column].astype(float)),
        }
    )
