"""States what a run found, in plain words that claim no more than its trials support.

Input: a `Run`. Output: sentences for the top of the report.
"""

import numpy as np
import pandas as pd
from scipy import stats

from analysis.cards.axes import equal_size_card
from analysis.questions.best import chosen
from analysis.questions.confirmed import fresh
from analysis.questions.looks import why_untested
from analysis.questions.series import is_along_axes
from analysis.runs.networks import begun, networks
from analysis.runs.run import Run
from analysis.runs.scores import form_of, is_percent_error, losses, lower_is_better, words
from analysis.runs.wording import p_words
from analysis.statistics.intervals import SHARED, pooled_interval, t_interval
from analysis.statistics.pairing import against
from search.schema.metrics import PERCENT
from search.schema.units import format_amount
from search.schema.wording import how_many


def findings(run: Run) -> list[str]:
    """State the results.

    Args:
        run: finished or not.

    Returns:
        Texts of one or a few sentences: if the sampler has the trait `axes`, what each
        dimension buys at equal parameters and at equal multiply-adds; otherwise the best
        network and the front.
    """
    if run.whole().empty:
        if not run.ended:
            return ["No trial has ended yet, so nothing can be concluded."]
        counts = run.trials["status"].value_counts()
        ended = ", ".join(f"{count:,} {status}" for status, count in counts.items())
        return [f"No trial was trained to its end ({ended}), so nothing can be concluded."]
    if alike := _all_alike(run):
        return alike
    before = [*_by_chance(run), *_tuned(run)]
    if is_along_axes(run):
        return [*before, *_of_axes(run)]
    return [*before, *_best(run), _front(run)]


def _all_alike(run: Run) -> list[str]:
    """State that all networks have the same score, as when none has learned anything yet."""
    whole = run.whole()
    scores = whole[run.ranking.column].dropna()
    names = whole["name"].nunique()
    if names < 2 or scores.empty or not np.allclose(scores, scores.iloc[0], rtol=1e-6, atol=0):
        return []
    return [
        f"All {len(scores):,} trials of {names:,} networks end with a {words(run.ranking)} of "
        f"{run.ranking.text(abs(scores.iloc[0]))}: nothing tells the networks apart, and what "
        "follows compares nothing. Train them longer, or by another recipe."
    ]


def _tuned(run: Run) -> list[str]:
    """State that each network has its own settings, and how they were chosen."""
    tune = run.plan.search.tune
    if tune is None:
        return []
    return [
        f"Each network stands here with its own {' and '.join(tune.keys)}, the best by "
        f"validation of {run.plan.tries} tries with the first seed, whose own result is a "
        "little too good for that."
    ]


def _by_chance(run: Run) -> list[str]:
    """Warn if no network has learned anything."""
    if not is_percent_error(run.ranking):
        return []
    errors = run.whole().groupby("name")[run.ranking.column].apply(list)
    level = 1 - 0.05 / (2 * len(errors))  # the best of many guesses right by luck
    # Alone, two seeds would hardly ever show it; pooled, one that varies much hides another.
    alone = [t_interval(each, level=level) for each in errors if len(each) > 1]
    # Of one seed each there is no interval: then that of guessing on so many images.
    images = max(run.plan.data.validation, 1)
    guessing = stats.norm.ppf((1 + level) / 2)
    guessing *= np.sqrt(run.chance * (100 - run.chance) / images)
    for one in [*pooled_interval(errors.tolist(), level=level), *alone]:
        high = one.estimate + guessing if one.high is None else one.high
        if one.estimate < run.chance - 1 and high < run.chance:
            return []
    return [
        f"No network is shown to be better than guessing ({run.chance:.1f} % "
        f"{words(run.ranking)}) by a point: what follows may compare networks that have not "
        "learned."
    ]


def _of_axes(run: Run) -> list[str]:
    card = equal_size_card(run)
    if card.refused:
        return [f"Nothing can be concluded of the dimensions: {card.refused}."]
    return list(card.sentences)


def _best(run: Run) -> list[str]:
    whole, table, metric = run.whole(), networks(run), words(run.ranking)
    best = table.iloc[0]
    mine = whole[whole["name"] == best["name"]]
    said = [
        f"The best network by {metric} is {best['name']} ({format_amount(best['params'])} "
        f"parameters, {format_amount(best['macs'])} multiply-adds): {_scores(run, mine)}."
    ]
    if best["failed"]:
        said.append(
            f"{best['failed']} of its trials failed, as did one or more of every other "
            "network: what is left is of the better seeds."
        )
    if len(table) > 1:
        alike = table if best["failed"] else table[table["failed"] == 0]
        if len(alike) > 1:
            said.append(_beside_the_next(run, whole, alike))
        return said + _survivor(run, table) + chosen(run)
    return said + fresh(run, best["name"])


def _scores(run: Run, trials: pd.DataFrame) -> str:
    """The ranking metric of one network's trials, on validation and test images."""
    form, unit, said = form_of(run.ranking), run.ranking.unit, []
    for metric in (run.ranking, run.tested):
        values = trials[metric.column].dropna()
        if values.empty:
            said.append(f"no {words(metric)}")
        elif len(trials) == 1:
            said.append(f"{words(metric)} {run.ranking.text(values.iloc[0])}")
        else:
            said.append(f"{words(metric)} {t_interval(values).text(form, unit)}")
    if len(trials) == 1:
        return f"{', '.join(said)} (one seed: no interval)"
    over = how_many(len(trials), "seed")
    return f"{', '.join(said)} (mean and 95 % interval over {over})"


def _survivor(run: Run, table: pd.DataFrame) -> list[str]:
    """State which networks lost a seed but have a better mean than the first two that did not.

    With the best alone, they are those that have a better mean than it.
    """
    whole, lost = table[table["failed"] == 0], table[table["failed"] > 0]
    if whole.empty:
        return []
    bound = losses(run.ranking, whole["val_mean"][:2]).max()
    ahead = lost[losses(run.ranking, lost["val_mean"]) < bound]
    if ahead.empty:
        return []
    first, others = ahead.iloc[0], len(ahead) - 1
    more = f"; nor {'is' if others == 1 else 'are'} {how_many(others, 'other')} like it"
    return [
        f"{first['name']} has {run.ranking.text(first['val_mean'])} of the seeds that are "
        f"left, and lost {first['failed']}: these may be the better ones, so it is not ranked"
        f"{more if others else ''}."
    ]


def _beside_the_next(run: Run, whole: pd.DataFrame, table: pd.DataFrame) -> str:
    """Compare the best with the second best; for two populations the test keeps its level.

    Gutmann and Maymin (1987), "Is the selected population the best?", Annals of Statistics 15.

    Args:
        run: the run of the trials.
        whole: complete trials of its search.
        table: two or more networks, none of which, or all of which, lost a seed.
    """
    best, runner = table["name"].iloc[0], table["name"].iloc[1]
    pair = (runner, best) if lower_is_better(run.ranking) else (best, runner)
    groups = [whole[whole["name"] == name] for name in pair]
    tested, _ = against(groups[0], groups[1], column=run.ranking.column, level=1 - SHARED)
    if not tested.difference.estimate:
        said = f"Another, {runner}, has the same {words(run.ranking)}"
        cheaper = table["macs"].iloc[0] < table["macs"].iloc[1]
        return f"{said}{': the cheaper is named first' if cheaper else ''}."
    form = form_of(run.ranking)
    unit = "points" if run.ranking.unit == PERCENT else run.ranking.unit
    more = "more" if lower_is_better(run.ranking) else "less"
    amount = " ".join(filter(None, (f"{tested.difference.estimate:{form}}", unit, more)))
    by = f"The next one, {runner}, has {amount}"
    if tested.p is None:
        if min(map(len, groups)) > 1:
            return f"{by}: that does not vary between seeds, so nothing is known of chance."
        return f"{by}: the seeds are too few to say whether that is more than chance."
    untested = why_untested(run)
    if untested:
        return f"{by}; whether that is chance is not tested, for {untested}."
    low, high = (format(end, form_of(run.ranking, "+")) for end in tested.difference.ends())
    ends = f"{100 * (1 - SHARED):g} % interval {low} to {high}"
    says = "more than chance" if tested.p < SHARED else "no more than chance may give"
    return f"{by} ({ends}, {p_words(tested.p)}): {says}."


def _front(run: Run) -> str:
    table = networks(run)
    count = int(table["on_front"].sum())
    named = [words(one) for one in run.compared]
    listed = f"{', '.join(named[:-1])} and {named[-1]}"
    means = " (of means over seeds)" if table["seeds"].max() > 1 else ""
    lost, among = int((table["failed"] > 0).sum()), begun(run)
    of = how_many(len(table) - lost, "network")
    if among > len(table):
        of += f" trained to the end, out of {among:,} tried"
    if lost:
        of += f"; {lost:,} that lost a seed {'is' if lost == 1 else 'are'} not placed"
    return (
        f"On the Pareto front of {listed}{means} {'lies' if count == 1 else 'lie'} {count:,} "
        f"of {of}."
    )
