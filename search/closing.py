"""Prints the end of a study: tables of the best networks, failures, and where files are."""

import shlex
import statistics
from collections import Counter
from collections.abc import Iterator, Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console, RenderableType
from rich.measure import Measurement
from rich.table import Table

from res2net.architecture import written
from res2net.consoles import console_of
from search.result import StudyResult, Trial, draw_summary
from search.schema.metrics import Objective, on_test
from search.schema.units import format_amount
from search.study.events import SOUND, Ended, Measured, Phase, Started, Status
from search.study.history import History
from search.study.journal import FILE
from search.study.loading import loading_line
from search.study.study import Study

_BEST_ROWS = 10
_SHOWN = 10  # at most so many trials with the same reason are listed
_USUAL, _WIDEST = 110, 1000  # usual and largest table width, in columns


def show(console: Console, study: Study, result: StudyResult) -> int:
    """Print the tables and draw the figures; return the exit code of drawing."""
    history = study.history
    objectives = study.plan.objectives
    print_whole(console, best_table(history, objectives))
    if (measured := measured_table(history, study.plan.measured)) is not None:
        print_whole(console, measured)
    if history.ended("confirm"):
        print_whole(console, confirmed_table(history, objectives))
    for trial, ended in history.ends.items():
        if ended.status not in SOUND:
            console.print(f"trial {trial} {ended.status}: {ended.reason}", soft_wrap=True)
    for line in rejected_line(history):
        console.print(line, soft_wrap=True)
    for line in cut_trials(history, usual=study.plan.training.accumulate):
        console.print(line, soft_wrap=True)
    code = draw_summary(result.folder)
    for line in _where(result):
        console.print(line, soft_wrap=True)
    return code


def print_whole(console: Console, shown: RenderableType) -> None:
    """Print tables at their full width: a narrow window wraps lines, but nothing is cut off."""
    tables = [shown] if isinstance(shown, Table) else getattr(shown, "renderables", ())
    free = console.options.update(max_width=_WIDEST)
    widths = [Measurement.get(console, free, one).maximum for one in tables]
    wide = max(console.width, _USUAL, *widths)
    console_of(wide).print(shown)


def best_table(history: History, objectives: Sequence[Objective]) -> Table | str:
    """The best networks of the search, by the ranking metric.

    Returns:
        The table, or, where there are no such networks, a line that says why.
    """
    ranked = history.ranked()
    if not ranked:
        return f"no network has been fully trained yet, so none is the best: {_states(history)}"
    shown = min(len(ranked), _BEST_ROWS)
    seeds = max((len(one.ends) for one in ranked), default=0)
    spread = " (mean, standard deviation, seeds)" if seeds > 1 else ""
    title = f"best {shown} of {len(ranked)} fully trained networks{spread}"
    metrics = _scores(objectives)
    table = _table(title, metrics)
    for _, started, ends in ranked[:_BEST_ROWS]:
        table.add_row(*_cells(started), *_values(ends, metrics, spread=seeds > 1))
    return table


def measured_table(history: History, objectives: Sequence[Objective]) -> Table | None:
    """Measurements of the best networks, as medians and quartiles; None without any."""
    shown = [(one, history.measured.get(one.started.trial)) for one in history.ranked()]
    measured = [(one.started.name, found) for one, found in shown[:_BEST_ROWS] if found]
    if not measured:
        return None
    title = "measured before training: median (quartiles)"
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("network", no_wrap=True)
    units = [f", {one.unit}" if one.has_quartiles else "" for one in objectives]
    named = [f"{one.label}{unit}" for one, unit in zip(objectives, units, strict=True)]
    timed = any(one.unit for one in objectives)  # other work does not affect scores
    for column in (*named, *(["other work"] * timed)):
        table.add_column(column, justify="right")
    for name, found in measured:
        beside = [_beside(found)] * timed
        table.add_row(name, *_quartiles(found, objectives), *beside)
    return table


def _quartiles(found: Measured, objectives: Sequence[Objective]) -> Iterator[str]:
    """Each median, with its quartiles where there is a spread."""
    for one in objectives:
        value = found.values.get(one.name)
        low, high = found.low.get(one.name), found.high.get(one.name)
        if value is None:
            yield ""
        elif low is None or high is None:
            yield one.text(value)
        else:
            yield f"{one.number(value)} ({one.number(low)} to {one.number(high)})"


def _beside(found: Measured) -> str:
    """Whether the network had the device to itself."""
    if found.alone is None:
        return "not known"
    cores = f" ({found.others:g} cores)" if found.others else ""
    return "none" if found.alone else f"yes{cores}"


def rejected_line(history: History) -> Iterator[str]:
    """Count the networks rejected because of a measurement, and name the first, if any."""
    ends = [end for end in history.ends.values() if end.status is Status.REJECTED]
    if ends:
        first = ends[0]
        name = history.trials[first.trial].name
        yield (
            f"{len(ends)} rejected before training because of a measurement; the first: trial "
            f"{first.trial} {name}: {first.reason}"
        )


def confirmed_table(history: History, objectives: Sequence[Objective]) -> Table | str:
    """The confirmed networks: mean and standard deviation over their fresh seeds.

    Returns:
        The table, or, where there are no such networks, a line that says why.
    """
    if not any(history.whole("confirm")):
        return f"no network has been confirmed yet: {_states(history, phase='confirm')}"
    metrics = _scores(objectives)
    groups: dict[tuple[str, int], list[tuple[Started, Ended]]] = {}
    for _, started, ended in history.whole("confirm"):
        groups.setdefault((started.name, started.epochs), []).append((started, ended))
    several = len({epochs for _, epochs in groups}) > 1
    title = "confirmed with fresh seeds (mean, standard deviation, seeds)"
    table = _table(title, metrics, lengths=several)
    for (_, epochs), members in groups.items():
        ends = [ended for _, ended in members]
        name, *cells = _cells(members[0][0])
        length = [str(epochs)] * several
        table.add_row(name, *length, *cells, *_values(ends, metrics, spread=True))
    return table


def without_success(ended: Sequence[Trial]) -> Iterator[str]:
    """Explain why no trial of this start is ok: each reason, with the trials it applies to."""
    yield f"no trial of this start is ok: {len(ended)} ended"
    reasons: dict[str, list[int]] = {}
    for trial in ended:
        if trial.ended is not None:
            said = f"{trial.ended.status}: {trial.ended.reason}"
            reasons.setdefault(said, []).append(trial.started.trial)
    for reason, numbers in reasons.items():
        shown = ", ".join(map(str, numbers[:_SHOWN]))
        more = f" and {len(numbers) - _SHOWN} more" if len(numbers) > _SHOWN else ""
        yield f"  trial {shown}{more} {reason}"


def _states(history: History, *, phase: Phase = "search") -> str:
    """How the trials of a phase ended, and how many have not."""
    trials = [trial for trial, started in history.trials.items() if started.phase == phase]
    counts = Counter(str(history.ends[one].status) for one in trials if one in history.ends)
    counts["under way"] = sum(trial in history.live for trial in trials)
    said = ", ".join(f"{number} {state}" for state, number in counts.items() if number)
    return f"of its trials {said}" if said else "none of its trials has started"


def cut_trials(history: History, *, usual: int) -> Iterator[str]:
    """List each trial that ran short of memory, and what was done about it.

    Args:
        history: history of the study.
        usual: number of pieces into which the recipe itself splits a batch.
    """
    for trial, ended in history.ends.items():
        if ended.taken and ended.taken.parts > usual:
            yield (
                f"trial {trial} {ended.status}: memory was short, so each batch was processed "
                f"in {ended.taken.parts} parts; norms saw the images of one part, not of the "
                "whole batch"
            )


def _where(result: StudyResult) -> Iterator[str]:
    """Where the results are, and commands to use them."""
    folder = shlex.quote(str(result.folder))
    yield f"record: {result.folder / FILE}"
    yield f"report: python -m analysis.report {folder}"
    if result.weights:
        best = result.weights[0]
        yield f"weights: {loading_line(best, plan=result.plan)}"


def _scores(objectives: Sequence[Objective]) -> tuple[Objective, ...]:
    """The reported metrics: each on the validation images, then on the test images."""
    reported = [one for one in objectives if one.source == "reported"]
    return tuple(side for one in reported for side in (one, on_test(one)))


def _table(title: str, metrics: Sequence[Objective], *, lengths: bool = False) -> Table:
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("network", no_wrap=True)
    sizes = ("depth", "width", "scale", "card.", "params", "MACs")
    columns = (*["epochs"] * lengths, *sizes)
    for column in (*columns, *(metric.label for metric in metrics)):
        table.add_column(column, justify="right")
    return table


def _cells(started: Started) -> list[str]:
    network = started.network()
    dims = (network.layers, network.width, network.scale, network.cardinality)
    costs = (format_amount(started.params), format_amount(started.macs))
    return [started.name, *map(written, dims), *costs]


def _values(
    ends: Sequence[Ended], metrics: Sequence[Objective], *, spread: bool
) -> Iterator[str]:
    """Each metric over the complete trials of one network."""
    for metric in metrics:
        values = [end.metrics[metric.name] for end in ends if metric.name in end.metrics]
        yield _value(values, metric, spread=spread)


def _value(values: list[float], metric: Objective, *, spread: bool) -> str:
    if not values:
        return ""
    if not spread or len(values) < 2:
        return metric.text(values[0]) + (" (1)" if spread else "")
    deviation = metric.text(statistics.stdev(values))
    mean = metric.text(statistics.mean(values)).removesuffix(" %")
    return f"{mean} +- {deviation} ({len(values)})"
