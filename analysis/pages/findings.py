"""What a run found, in plain words: computed from its trials, and never more than they carry.

Goes in: a `Run`. Come out: sentences, which open the report.
"""

from typing import Any

import pandas as pd

from analysis.questions.equal_size import comparisons, conclusion
from analysis.questions.series import points
from analysis.runs.networks import networks
from analysis.runs.run import Run, RunError
from analysis.statistics.intervals import t_interval
from analysis.statistics.pairing import against
from search.schema.units import format_amount

_SIGNIFICANT = 0.05


def findings(run: Run) -> list[str]:
    """Say what came out.

    Args:
        run: finished or not.

    Returns:
        One sentence or a few in each: of an `axes` run what each dimension buys, at equal
        parameters and at equal multiply-adds; of others the best network and the front.
    """
    if run.whole().empty:
        counts = run.trials["status"].value_counts()
        ended = ", ".join(f"{count:,} {status}" for status, count in counts.items())
        return [f"No trial was trained to its end ({ended}), so nothing can be concluded."]
    if run.config["search"]["sampler"] == "axes":
        return _of_axes(run)
    return [*_best(run), _front(run), *_confirmed(run)]


def _of_axes(run: Run) -> list[str]:
    try:
        on_axes = points(run)
    except RunError as error:
        return [f"Nothing can be concluded of the dimensions: {error}."]
    sizes = ("params", "macs")
    return [
        sentence
        for size in sizes
        for sentence in conclusion(comparisons(on_axes, size=size), size=size)
    ]


def _best(run: Run) -> list[str]:
    whole, table = run.whole(), networks(run)
    best = table.iloc[0]
    mine = whole[whole["name"] == best["name"]]
    said = [
        f"The best network by validation error is {best['name']} ({format_amount(best['params'])} "
        f"parameters, {format_amount(best['macs'])} multiply-adds): {_errors(mine)}."
    ]
    if len(table) > 1:
        said.append(_beside_the_next(whole, table))
        said.append(
            f"It was chosen out of {len(table):,} networks by its validation error, which is "
            "therefore too low on average; its test error is not, for no choice was made by it."
        )
    return said


def _errors(trials: pd.DataFrame) -> str:
    test = trials["test_error_pct"].dropna()
    if len(trials) == 1:
        of_test = f"test error {test.iloc[0]:.2f} %" if len(test) else "no test error"
        validation = trials["val_error_pct"].iloc[0]
        return f"validation error {validation:.2f} %, {of_test} (one seed: no interval)"
    of_test = f"test error {t_interval(test).text(unit='%')}" if len(test) else "no test error"
    return (
        f"validation error {t_interval(trials['val_error_pct']).text(unit='%')}, {of_test} "
        f"(mean and 95 % interval over {len(trials)} seeds)"
    )


def _beside_the_next(whole: pd.DataFrame, table: pd.DataFrame) -> str:
    """Best against second best: of two populations, the test keeps its level.

    Gutmann and Maymin (1987), "Is the selected population the best?", Annals of Statistics 15.
    """
    best, runner = table["name"].iloc[0], table["name"].iloc[1]
    groups = [whole[whole["name"] == name] for name in (runner, best)]
    tested, _ = against(groups[0], groups[1], column="val_error_pct")
    by = f"The next one, {runner}, has {tested.difference.estimate:.2f} points more"
    if not tested.difference.estimate:
        return f"Another, {runner}, has the same validation error: the cheaper is named first."
    if tested.p is None:
        return f"{by}: the seeds are too few to say whether that is more than chance."
    ends = f"95 % interval {tested.difference.low:+.2f} to {tested.difference.high:+.2f}"
    says = "more than chance" if tested.p < _SIGNIFICANT else "no more than chance may give"
    return f"{by} ({ends}, p {tested.p:.3f}): {says}."


def _front(run: Run) -> str:
    table = networks(run)
    count = int(table["on_front"].sum())
    means = " (of means over seeds)" if table["seeds"].max() > 1 else ""
    return (
        f"On the Pareto front of validation error and multiply-adds{means} "
        f"{'lies' if count == 1 else 'lie'} {count:,} of {len(table):,} "
        f"network{'s' if len(table) != 1 else ''}."
    )


def _confirmed(run: Run) -> list[str]:
    asked: dict[str, Any] | None = run.config.get("confirm")
    again = run.whole("confirm")
    if not asked:
        return []
    if again.empty:
        return ["No confirmation with fresh seeds has ended."]
    best = networks(run, phase="confirm").iloc[0]
    mine = again[again["name"] == best["name"]]
    names = again["name"].nunique()
    return [
        f"Trained again with fresh seeds for {asked['epochs']} epochs, {best['name']} is the "
        f"best of {names} network{'s' if names != 1 else ''}: {_errors(mine)}."
    ]
