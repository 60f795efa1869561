"""The card on what a search had found after each trial."""

from collections.abc import Sequence

from analysis.cards.card import Card, Column, Shown, reason
from analysis.plots.anytime import draw_anytime
from analysis.questions.anytime import anytime
from analysis.runs.networks import left_out_words
from analysis.runs.run import Run, RunError
from analysis.runs.scores import capital, form_of, titled, words
from search.schema.wording import how_many

_NAME, _QUESTION = "anytime", "What had the search found after each trial?"

_ORDERS = (
    Column("5 % of orders", "low", ".4g"),
    Column("95 % of orders", "high", ".4g"),
)


def anytime_card(run: Run) -> Card:
    """Show the best so far and the front's hypervolume over trials and device-hours."""
    try:
        return _card([run], [run.name])
    except RunError as error:
        return Card(name=_NAME, question=_QUESTION, refused=reason(error, run.folder))


def _card(runs: Sequence[Run], labels: Sequence[str]) -> Card:
    found = anytime(runs, labels=labels)
    run, form = runs[0], form_of(runs[0].ranking)
    metric, kind = words(run.ranking), run.device_share[1]
    end = found.iloc[-1]
    first = found[found["best"] == end["best"]].iloc[0]
    count = int(end["networks"])
    said = (
        f"The best {metric} of {how_many(count, 'network')}, "
        f"{run.ranking.text(end['best'])}, was reached after {first['trials']:,} of "
        f"{how_many(end['trials'], 'trial')} and {first['hours']:.2f} of {end['hours']:.2f} "
        f"{kind}-hours."
    )
    band = found["low"].notna().any()
    shown = Shown(
        name="anytime-curves",
        caption=f"{capital(metric)} of the best network so far, in the order in which trials "
        "ended, where each network has its final mean over all its seeds; and the "
        f"hypervolume: the area that the networks so far dominate in {metric} and "
        f"{words(run.cost_axis)}, each scaled from 0, the best of the run, to 1, its "
        "worst, which is the reference point."
        + (
            " Grey: 5 to 95 % of the best after as many trials over random orders of the "
            "same networks; this is not a confidence interval."
            if band
            else ""
        ),
        table=found,
        columns=(
            Column("trials", "trials", ","),
            Column(f"{kind}-hours", "hours", ",.3f"),
            Column("networks", "networks", ","),
            Column(f"best {titled(run.ranking)}", "best", form),
            *(_ORDERS if band else ()),
            Column("hypervolume", "hypervolume", ".4f"),
        ),
        draw=lambda: draw_anytime(
            found, run.ranking, run.cost_axis, kind=kind, title=run.described(short=True)
        ),
        alt=f"Lines in steps: best {metric} and hypervolume against trials and {kind}-hours. "
        + said,
    )
    return Card(
        name=_NAME, question=_QUESTION, sentences=(said, *left_out_words(run)), shown=(shown,)
    )
