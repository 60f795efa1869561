"""States how networks did with the fresh seeds of their confirmation, and which seeds failed.

A network is confirmed after the search selected it, so these seeds are no luckier than others.
"""

import pandas as pd

from analysis.runs.networks import confirmations, confirmed_epochs, failures, networks
from analysis.runs.run import FAILURES, Run
from analysis.runs.scores import form_of, words
from analysis.statistics.intervals import t_interval
from search.schema.wording import how_many


def fresh(run: Run, best: str) -> list[str]:
    """State in words how the best of the search did with the fresh seeds of its confirmation.

    Args:
        run: finished or not; the result is empty if no confirmation is planned.
        best: name of the network that the search ranks first.
    """
    if not run.plan.confirm:
        return []
    epochs = how_many(confirmed_epochs(run), "epoch")
    mine, lost = confirmations(run), failures(run, "confirm")
    if mine.empty and lost.empty:
        return ["No confirmation with fresh seeds has ended."]
    mine = mine[mine["name"] == best]
    said = []
    if len(mine):
        said.append(
            f"Trained again with {how_many(len(mine), 'fresh seed')} for {epochs}, which no "
            f"choice was made by, {best} has {_both(run, mine)}."
        )
    if failed := failed_words(run, best):
        left = ": what is left may be of the better ones." if len(mine) else "."
        said.append(f"{failed}, in training for {epochs}{left}")
    return [*said, *_of_others(run, best, epochs), *_of_other_lengths(run)]


def failed_words(run: Run, name: str) -> str:
    """State how many fresh seeds of a network failed; empty if none did.

    Args:
        run: finished or not; confirmations of the length that is compared count.
        name: name of the network.
    """
    lost = int(failures(run, "confirm").get(name, 0))
    ended = lost + int((confirmations(run)["name"] == name).sum())
    return f"{lost:,} of {how_many(ended, 'fresh seed')} of {name} failed" if lost else ""


def _of_others(run: Run, best: str, epochs: str) -> list[str]:
    """State which confirmed network has the best mean, and what failed of the others."""
    again, lost = networks(run, phase="confirm"), failures(run, "confirm")
    whole = again.loc[again["failed"] == 0, "name"].tolist()
    how = f"confirmed for {epochs}{' and lost no seed' if len(lost) else ''}"
    said = []
    if len(whole) > 1 and whole[0] != best:
        said.append(
            f"Of the {len(whole)} networks that were {how} {whole[0]} has the best mean; as "
            "the best of several that is too good in its turn."
        )
    elif whole and whole[0] != best:
        said.append(f"Only {whole[0]} was {how}{'' if run.finished else ' so far'}.")
    failed = [failed_words(run, name) for name in sorted(lost.index) if name != best]
    return said + ([f"{'; '.join(failed)}."] if failed else [])


def _of_other_lengths(run: Run) -> list[str]:
    """State which confirmations are not compared because their length differs."""
    trials = run.counted
    ended = trials[(trials["phase"] == "confirm") & (trials["status"] != "running")]
    said = []
    for length in sorted({*ended["epochs_planned"]} - {confirmed_epochs(run)}):
        one = ended[ended["epochs_planned"] == length]
        whole, failed = one[one["status"] == "ok"], int(one["status"].isin(FAILURES).sum())
        under_way = not run.finished and length == run.plan.epochs("confirm")
        done = "no trial that was trained to the end"
        if len(whole):
            networks_of = how_many(whole["name"].nunique(), "network")
            done = f"{how_many(len(whole), 'trial')} of {networks_of}{' so far' * under_way}"
        lost = f", and {how_many(failed, 'trial')} that failed" if failed else ""
        said.append(
            f"Another confirmation, for {how_many(length, 'epoch')}, has {done}{lost}: another "
            "length is not compared with these."
        )
    return said


def _both(run: Run, trials: pd.DataFrame) -> str:
    said = []
    for metric in (run.ranking, run.tested):
        values = trials[metric.column].dropna()
        if len(values):
            interval = t_interval(values)
            said.append(
                f"{words(metric)} {interval.text(form_of(run.ranking), run.ranking.unit)}"
            )
    return ", ".join(said)
