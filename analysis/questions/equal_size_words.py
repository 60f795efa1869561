"""Puts the comparisons of `analysis.questions.equal_size` into words.

A sentence claims a difference only where the interval simultaneous for all comparisons excludes
0, so that of a hundred runs in which nothing differs about five claim anything at all.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from analysis.questions.equal_size import PLAIN
from analysis.runs.scores import Score
from analysis.runs.wording import p_words
from analysis.statistics.intervals import SIGNIFICANT
from search.design.contrasts import ALL_SIZES, SIZES
from search.schema.analysis import Analysis
from search.schema.wording import how_many, how_many_each

HELD_EQUAL = {"params": "parameters", "macs": "multiply-adds"}
Row = dict[str, Any]


class Said(NamedTuple):
    """A sentence, and whether it claims that something is more than chance."""

    text: str
    claims: bool = False


def conclusion(
    compared: pd.DataFrame, score: Score, *, analysis: Analysis = PLAIN
) -> list[Said]:
    """What the comparisons show: at equal size, by slopes, and for the space file's contrasts.

    Args:
        compared: from `analysis.questions.equal_size.comparisons`.
        score: the score that was compared: `run.score`.
        analysis: the analysis that the study plans: `run.plan.analysis`.
    """
    found = [
        *_equal_size(compared, score, analysis),
        *_slopes(compared, score),
        *_pairs(compared, score),
        *_untold(compared),
        *(Said(*_own(row, score)) for row in _records(compared[compared["kind"] == "own"])),
    ]
    if not found and len(compared) and compared["low"].isna().all():
        found = [Said(_told_nothing(compared))]
    return [*_in_short(compared, score), *_rule(compared), *found]


_MODEL = "least squares on networks and seeds (network + seed model)"


def together_words(compared: pd.DataFrame, *, singles: bool = False) -> str:
    """Describe in sentences how intervals were widened, for captions.

    Args:
        compared: from `analysis.questions.equal_size.comparisons`.
        singles: whether comparisons of single networks are shown too.
    """
    if compared["low"].isna().all():
        return "There are no intervals."
    count = int((compared["kind"] != "network").sum())
    pooled, how = compared.attrs["pooled"], "of the largest |t|"
    if compared.attrs["rule"].every_look:
        how = "of Bonferroni, valid at every look"
    elif pooled is None:
        how = "of Bonferroni"
    if pooled is None:
        method = "the spread of one sum for each seed"
    elif pooled:
        method = f"{_MODEL}, one spread for all networks"
    else:
        method = f"{_MODEL}, noisier networks with their own spread"
    return (
        f"Intervals come from {method}; all {count} at once: wide enough that all of them hold "
        f"in 95 of 100 such studies (simultaneous intervals {how})."
        + " Comparisons of single networks form a separate family."
        * singles
    )


def _in_short(compared: pd.DataFrame, score: Score) -> Iterator[Said]:
    """The answer without numbers: which dimensions the study's dimension buys more than."""
    groups = compared[(compared["kind"] == "group") & (compared["label"] == ALL_SIZES)]
    rows = _records(groups[groups["p_all"].notna()])
    if not rows:
        return
    answers = []
    for against in dict.fromkeys(row["against"] for row in rows):
        by_size = {row["size"]: _word(row, score) for row in rows if row["against"] == against}
        words = dict.fromkeys(by_size.values())
        if len(words) == 1:
            answers.append(f"{next(iter(words))} {against}")
        else:
            parts = (
                f"{word} {against} at equal {HELD_EQUAL[s]}" for s, word in by_size.items()
            )
            answers.append(", ".join(parts))
    yield Said(f"In short: {rows[0]['of']} {'; it '.join(answers)}.", any(map(_clear, rows)))


def _word(row: Row, score: Score) -> str:
    if not _clear(row):
        return "is not shown to differ from"
    more = (row["difference"] > 0) == score.more_is_better
    return "buys more than" if more else "buys less than"


def _rule(compared: pd.DataFrame) -> Iterator[Said]:
    why = compared.attrs["rule"].why
    if why and len(compared):
        yield Said(why)


def _equal_size(compared: pd.DataFrame, score: Score, analysis: Analysis) -> Iterator[Said]:
    of, groups = analysis.of, compared[compared["kind"] == "group"]
    for size in SIZES:
        for (held, against), why in compared.attrs["left_out"].items():
            if held == size:
                start = (
                    f"At equal {HELD_EQUAL[size]}, {of} could not be compared with {against}"
                )
                yield Said(f"{start}: {why}.")
        here = groups[groups["size"] == size]
        for against in dict.fromkeys(here["against"]):
            rows = _records(here[here["against"] == against])
            whole = next((row for row in rows if row["label"] == ALL_SIZES), None)
            parts = [row for row in rows if row["label"] != ALL_SIZES]
            start = f"At equal {HELD_EQUAL[size]}, {of} against {against}: "
            if whole is None:
                yield Said(
                    f"{start}not of all sizes.{_parts(parts, score)}", any(map(_clear, parts))
                )
                continue
            text, claims = _verdict(whole, score, start=start, analysis=analysis)
            if np.isnan(whole["low"]):
                text = f"{start}{_measured(whole, score)}{_no_interval(whole, compared)}."
            yield Said(text + _parts(parts, score), claims or any(map(_clear, parts)))


def _verdict(row: Row, score: Score, *, start: str, analysis: Analysis) -> tuple[str, bool]:
    of, margin = analysis.of, analysis.margin
    measured = _measured(row, score)
    ends = f"({interval_words(row, score)})"
    if np.isnan(row["p_all"]):
        return f"{start}{measured} {ends}.", False
    if _clear(row):
        more = (row["difference"] > 0) == score.more_is_better
        word = "buys more" if more else "buys less"
        return f"{start}the data show that {of} {word}: {measured} {ends}.", True
    if margin is not None and max(abs(row["low_all"]), abs(row["high_all"])) < margin:
        same = f"the same within the margin of {margin:g} {score.difference}"
        return f"{start}{same}: {measured} {ends}.", True
    return f"{start}the data do not show a difference: {measured} {ends}.", False


def _measured(row: Row, score: Score) -> str:
    networks = how_many(row["networks"], "network")
    return f"{score.signed(row['difference'])} {score.difference}, the mean of {networks}"


def _no_interval(row: Row, compared: pd.DataFrame) -> str:
    """State why a row has no interval."""
    if row["most_seeds"] == 1:
        return ", of 1 seed: no interval, so it shows nothing yet"
    if compared.attrs["df"] < 1:
        return "; no two networks have two seeds in common yet: no interval"
    if compared.attrs["rule"].every_look:
        return "; too few seeds for an interval that holds at every look"
    return f", the same in all {row['most_seeds']} seeds: no interval"


def _told_nothing(compared: pd.DataFrame) -> str:
    """State that no row has an interval, and why."""
    if compared["most_seeds"].max() == 1:
        why = "one seed each"
    elif compared.attrs["df"] < 1:
        why = "no two of them have two seeds in common"
    elif compared.attrs["rule"].every_look:
        why = "too few seeds for an interval that holds at every look"
    else:
        why = "they differ alike in every seed"
    return f"There is no interval, so no two networks are told apart: {why}."


def _untold(compared: pd.DataFrame) -> Iterator[Said]:
    """Planned contrasts that the trials cannot give, by reason."""
    by_reason: dict[str, list[str]] = {}
    for name, reason in compared.attrs["untold"].items():
        by_reason.setdefault(reason, []).append(name)
    for reason, names in by_reason.items():
        yield Said(f"Planned, but cannot be told, for {reason}: {'; '.join(names)}.")


def _parts(parts: list[Row], score: Score) -> str:
    """Results by size, which the mean over all sizes hides."""
    shown = [
        f"{row['label']} {score.signed(row['difference'])} "
        f"({score.signed(row['low_all'])} to {score.signed(row['high_all'])}"
        f"{', clear' if _clear(row) else ''})"
        for row in parts
        if not np.isnan(row["low_all"])
    ]
    return f" By size, all at once: {'; '.join(shown)}." if shown else ""


def _slopes(compared: pd.DataFrame, score: Score) -> Iterator[Said]:
    slopes = compared[compared["kind"] == "slope"]
    single = _records(slopes[slopes["against"] == ""])
    known = [row for row in single if not np.isnan(row["low"])]
    if known:
        listed = "; ".join(
            f"{row['of']} {score.signed(row['difference'])} ({interval_words(row, score)})"
            for row in known
        )
        yield Said(
            f"A doubling of multiply-adds adds to {score.label}, along {listed}.",
            any(map(_clear, known)),
        )
    for row in _records(slopes[slopes["against"] != ""]):
        if np.isnan(row["low"]):
            continue
        of, against = row["of"], row["against"]
        by = f"{score.signed(row['difference'])} ({interval_words(row, score)})"
        start = f"Per doubling, {of} minus {against}: {by}"
        if np.isnan(row["p_all"]):
            yield Said(f"{start}.")
        elif _clear(row):
            more = (row["difference"] > 0) == score.more_is_better
            yield Said(f"{start}: {of} buys {'more' if more else 'less'} than {against}.", True)
        else:
            yield Said(f"{start}: the data do not show that their slopes differ.")


def _pairs(compared: pd.DataFrame, score: Score) -> Iterator[Said]:
    """Pairs of networks of a single dimension: those that differ, or a note that none do."""
    rows = [row for row in _records(compared[compared["kind"] == "pair"]) if row["p_all"] >= 0]
    clear = [row for row in rows if _clear(row)]
    if rows and not clear:
        pairs = how_many(len(rows), "pair")
        yield Said(f"Of {pairs} of networks the data tell no two apart.")
    for row in clear:
        more = (row["difference"] > 0) == score.more_is_better
        yield Said(
            f"{row['label']}: {score.signed(row['difference'])} {score.difference} "
            f"({interval_words(row, score)}): the {'first' if more else 'second'} is better.",
            True,
        )


def _own(row: Row, score: Score) -> tuple[str, bool]:
    start = f"As the space file asks, {row['label']}: "
    measured = f"{score.signed(row['difference'])} {score.difference}"
    if np.isnan(row["low"]):
        return f"{start}{measured}, without an interval.", False
    ends = f"({interval_words(row, score)})"
    if np.isnan(row["p_all"]):
        return f"{start}{measured} {ends}.", False
    says = "the data show a difference" if _clear(row) else "the data do not show a difference"
    return f"{start}{says}: {measured} {ends}.", _clear(row)


def interval_words(row: Row, score: Score) -> str:
    """State a row's single and simultaneous intervals, its p and its seeds.

    Args:
        row: a row of `comparisons`, with an interval.
        score: defines how its values are written.
    """
    low, high, low_all, high_all = (
        score.signed(row[key]) for key in ("low", "high", "low_all", "high_all")
    )
    alone, at_once = (
        f"95 % interval alone {low} to {high}",
        f"all at once {low_all} to {high_all}",
    )
    seeds = how_many_each((row["seeds"], row["most_seeds"]), "seed")
    if np.isnan(row["low_all"]):
        at_once = "all at once none yet"
    if np.isnan(row["p_all"]):
        return f"{alone}; {at_once}; {seeds}"
    return f"{alone}; {at_once}, where {p_words(row['p_all'])}; {seeds}"


def _clear(row: Row) -> bool:
    return bool(row["p_all"] < SIGNIFICANT)


def _records(frame: pd.DataFrame) -> list[Row]:
    return [{str(key): value for key, value in row.items()} for row in frame.to_dict("records")]
