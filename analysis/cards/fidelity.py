"""The card on how well cheap scores rank networks like expensive ones."""

from collections.abc import Hashable, Iterator
from typing import Any

import pandas as pd

from analysis.cards.card import P_VALUE, Card, Column, Shown, reason
from analysis.plots.fidelity import draw_fidelity
from analysis.questions.fidelity import Rungs, fidelity, noise_ceiling, rungs
from analysis.questions.tau_words import order_shown, tau_words
from analysis.runs.run import Run, RunError
from analysis.runs.scores import capital
from analysis.statistics.intervals import Interval
from search.design.agreement import LEVEL
from search.schema.wording import how_many, how_many_each
from search.study.checked import findings_of
from search.study.journal import read

_NAME = "fidelity"
_QUESTION = "Does validation rank networks as the test does, and do early epochs as the end?"
_COLUMNS = (
    Column("ranks of", "ranks"),
    Column("networks", "networks", ","),
    Column("tau_b", "tau", ".2f"),
    Column("95 % low", "low", ".2f"),
    Column("95 % high", "high", ".2f"),
    Column("p, exact", "p_exact", P_VALUE),
    Column("the best", "top", ",.0f"),
    Column("found among as many", "found", ",.0f"),
    Column("by chance", "by_chance", ",.1f"),
    Column("no tau, because", "refused"),
)
_WHERE = {True: ("on the test images", "in validation"), False: ("at the end", "then")}
_WAYS = {
    1: "rank {networks} alike by",
    0: "are not shown to rank {networks} alike:",
    -1: "rank {networks} the other way round from each other, by",
}
_OPTIONAL = {"low", "high", "p_exact", "top", "found", "by_chance", "refused"}


def fidelity_card(run: Run) -> Card:
    """Show rank correlations of validation and test, early epochs and the end, and seeds."""
    try:
        table = fidelity(run)
    except RunError as error:
        return Card(name=_NAME, question=_QUESTION, refused=reason(error, run.folder))
    noise, unknown = _ceiling(run)
    asked = rungs(run)
    said = [_said(row) for row in table.to_dict("records") if not row["refused"]]
    if noise is not None:
        said.append(
            f"Two independent sets of {_seeds(run)} would rank the networks alike by tau_b "
            f"{noise.estimate:.2f} (95 % interval {noise.low:.2f} to {noise.high:.2f}): that "
            "is the noise ceiling of these ranks."
        )
    else:
        said.append(f"The noise ceiling of these ranks is not known: {unknown}.")
    if not asked.epochs:
        said.append("There is no epoch before the last to compare the end with.")
    said.extend(_checked(run))
    empty = {key for key in _OPTIONAL if not table[key].replace("", None).notna().any()}
    shown = Shown(
        name="fidelity-tau",
        caption=_caption(run, table, asked, noise),
        table=table,
        columns=tuple(column for column in _COLUMNS if column.key not in empty),
        draw=lambda: draw_fidelity(table, noise, title=run.described(short=True)),
        alt=f"Points with intervals: Kendall's tau_b of pairs of scores. {' '.join(said)}",
    )
    return Card(name=_NAME, question=_QUESTION, sentences=tuple(said), shown=(shown,))


def _ceiling(run: Run) -> tuple[Interval | None, str]:
    try:
        return noise_ceiling(run), ""
    except RunError as error:
        return None, str(error)


def _checked(run: Run) -> Iterator[str]:
    """State what the first networks show about the scheduler, if the study checks it."""
    asked = run.plan.fidelity
    if asked is None:
        return
    found = findings_of(run.plan, read(run.folder))
    if found is None:
        yield (
            f"Whether the scheduler may be believed is not known: fewer than {asked.check} "
            "networks have come to their end; no trial was stopped."
        )
        return
    believed = " and ".join(map(str, found.believed)) or "none"
    yield (
        f"The first {found.networks} networks were trained completely to check whether "
        f"{run.plan.scheduler.name} can be trusted: of epochs "
        f"{' and '.join(map(str, found.rungs))} it may stop trials at {believed}, where the "
        f"lower end of tau_b's {LEVEL:.0%} interval reaches {asked.at_least:g}. If it were "
        "trusted at all of them, it would lose the best of these networks in "
        f"{found.lost():.0%} of simulated searches."
    )


def _said(row: dict[Hashable, Any]) -> str:
    found = [row[key] for key in ("tau", "low", "high", "p_exact")]
    way = _WAYS[order_shown(*found)].format(networks=how_many(row["networks"], "network"))
    tau = tau_words(*found, networks=row["networks"])
    said = f"{capital(row['ranks'])} {way} tau_b {tau}"
    if pd.notna(row["top"]):
        late, early = _WHERE[bool(pd.isna(row["epoch"]))]
        said += (
            f"; of the {row['top']:,.0f} best {late} {row['found']:,.0f} are among the "
            f"{row['top']:,.0f} best {early}, {row['by_chance']:,.1f} by chance"
        )
    return f"{said}."


def _caption(run: Run, table: pd.DataFrame, asked: Rungs, noise: Interval | None) -> str:
    n = int(table["networks"].max())
    said = [
        f"Kendall's tau_b over {n:,} networks, of {_seeds(run)} each",
        "with 95 % intervals by the jackknife over networks, each alone; fewer than 8 "
        "networks have no interval, and p counts all orders. Validation and test scores are "
        "of the same trained networks, and early epochs are of the same trials as the end, "
        "so they share the luck of their seeds and may agree more than the noise ceiling",
    ]
    if noise is not None:
        said.append(
            "which is of independent seeds (networks and seeds normal, one spread of seeds, by "
            "the method of moments; its interval by the F ratio)"
        )
    text = ", ".join(said) + "."
    if (run.trials["status"] == "pruned").any():
        where = "the epochs at which trials were stopped" if asked.of_scheduler else "shares"
        text += (
            " Trials were stopped early: only those that reached the end count, which are "
            f"the better ones and harder to rank; compared at {where}."
        )
    return text


def _seeds(run: Run) -> str:
    return how_many_each(run.whole()["name"].value_counts().tolist(), "seed")
