"""The card on the expected best of several networks."""

import numpy as np
import pandas as pd

from analysis.cards.card import Card, Column, Shown, reason
from analysis.plots.expected_best import draw_expected_best
from analysis.questions.expected_best import expected
from analysis.questions.sampling import is_whole
from analysis.runs.networks import left_out_words
from analysis.runs.run import Run, RunError
from analysis.runs.scores import form_of, titled, words

_NAME = "expected-best"
_QUESTION = "How good is the best of a few networks drawn at random expected to be?"


def expected_best(run: Run) -> Card:
    """Show the expected best of k networks."""
    try:
        curve = expected(run, rng=np.random.default_rng(0))
    except RunError as error:
        return Card(name=_NAME, question=_QUESTION, refused=reason(error, run.folder))
    metric, form, n = words(run.ranking), form_of(run.ranking), int(curve["k"].iloc[-1])
    said = _sentences(run, curve)
    band = (
        "All candidates of the space were tried, so there is no sampling error."
        if is_whole(run)
        else "The 95 % intervals are of a bootstrap over networks, at each k for itself, and "
        "end at a tenth of the networks (fewer than ten give none): at half of them such "
        "intervals held the truth in only 78 to 83 % of simulated studies."
    )
    shown = Shown(
        name="expected-best-curve",
        caption=f"The expected best {metric} of k networks out of {n:,}, each with the mean "
        "of its seeds, averaged over all choices of k of them without replacement, "
        "which is unbiased (Tang et al. 2020; Dodge et al. 2019 draw with "
        "replacement). It is measured on the images by which networks were chosen. "
        f"{band}",
        table=curve,
        columns=(
            Column("k", "k", ","),
            Column(f"expected best {titled(run.ranking)}", "expected", form),
            Column("95 % low", "low", form),
            Column("95 % high", "high", form),
        ),
        draw=lambda: draw_expected_best(curve, run.ranking, title=run.described(short=True)),
        alt=f"A line: the expected best {metric} against the number of networks. {said}",
    )
    return Card(
        name=_NAME, question=_QUESTION, sentences=(said, *left_out_words(run)), shown=(shown,)
    )


def _sentences(run: Run, curve: pd.DataFrame) -> str:
    n = int(curve["k"].iloc[-1])
    half = curve[curve["k"] <= max(n // 2, 1)].iloc[-1]
    one, all_ = (run.ranking.text(curve["expected"].iloc[place]) for place in (0, -1))
    return (
        f"One network has a {words(run.ranking)} of {one} on average, the best of "
        f"{int(half['k']):,} is expected to have {run.ranking.text(half['expected'])}, and "
        f"the best of all {n:,} has {all_}."
    )
