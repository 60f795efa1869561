"""Lists what a run cost and how it was made, from its journal and manifest.

Input: a `Run`. Output: labelled facts and tables, which the report shows unchanged.
"""

import hashlib
import io
import shlex
from typing import Any

import pandas as pd
from ruamel.yaml import YAML

from analysis.runs.provenance import UNKNOWN, commit_of, hardware_of
from analysis.runs.run import FAILURES, Run
from analysis.runs.scores import titled
from search.schema.parts import Choice
from search.schema.study_plan import StudyPlan
from search.schema.units import duration, format_amount
from search.schema.wording import how_many
from search.study.journal import FILE

Facts = tuple[tuple[str, str], ...]

_GIB = 2**30
_SAID_APART = {"data": {"left_aside"}}
_FEW = 8  # seeds that are listed; if more, only their number


def question(run: Run) -> list[str]:
    """The paragraphs of the comment at the top of the run's space file; empty without one."""
    path = run.folder / "space.yaml"
    if not path.is_file():
        return []
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    header = []
    for line in lines:
        if not line.startswith("#"):
            break
        header.append(line.removeprefix("#").strip())
    paragraphs = "\n".join(header).split("\n\n")
    return [" ".join(one.split()) for one in paragraphs if one.strip()]


def asked(run: Run) -> Facts:
    """What the analysis section of the space file defined before there were results."""
    section = run.plan.analysis
    written = section.model_dump(exclude_defaults=True)
    said = [(f"analysis.{key}", _value(value)) for key, value in written.items()]
    return tuple(said)


def failures(trials: pd.DataFrame) -> pd.DataFrame:
    """Failed trials by status and reason, the most frequent first.

    Args:
        trials: from `analysis.runs.tables.trials`.

    Returns:
        `status`, `reason`, `count`, and the first few `trials` of each by number.
    """
    failed = trials[trials["status"].isin(FAILURES)]
    rows = [
        {"status": status, "reason": reason, "count": len(members), "trials": _first(members)}
        for (status, reason), members in failed.groupby(["status", "reason"], sort=False)
    ]
    frame = pd.DataFrame(rows, columns=["status", "reason", "count", "trials"])
    return frame.sort_values("count", ascending=False, kind="stable").reset_index(drop=True)


def cost(run: Run) -> Facts:
    """Time, device-hours, energy and memory of the ended trials."""
    trials = run.trials[run.trials["status"] != "running"]
    seconds = trials["seconds"].dropna().astype(float)
    if seconds.empty:
        return (("Trials", "none has ended, so nothing can be added up"),)
    total = float(seconds.sum())
    counts = trials["status"].value_counts()
    facts = [
        ("Trials", ", ".join(f"{count:,} {status}" for status, count in counts.items())),
        (
            "Time of the trials",
            f"{duration(total)} in total; one took {duration(seconds.median())} (median), "
            f"{duration(seconds.min())} to {duration(seconds.max())}. This is the trials' "
            "own time in their epochs: they may have run side by side, and starting, "
            "waiting, scoring the test images and unfinished trials are not included.",
        ),
        _device_hours(run, total),
        ("Devices", _counted(trials["device"].replace("", UNKNOWN).dropna())),
    ]
    preparation = trials["preparation_seconds"].dropna().astype(float)
    if preparation.sum() > 0:
        facts.append(("Capturing and compiling", duration(preparation.sum()) + ", in no epoch"))
    facts += [("Energy", _energy(trials)), ("Peak memory", _memory(run, trials))]
    return (*_replayed(run), *_reused(trials), *facts)


def _reused(trials: pd.DataFrame) -> Facts:
    """Trials that were trained in another run, whose times and devices are included."""
    sources = trials["trained_in"].replace("", None).dropna()
    if sources.empty:
        return ()
    seconds = float(trials.loc[sources.index, "seconds"].sum())
    were = "was" if len(sources) == 1 else "were"
    return (
        (
            "Taken over",
            f"{len(sources):,} of {how_many(len(trials), 'trial')} {were} trained in another "
            f"run: {_counted(sources)}. Their {duration(seconds)} are included in the times "
            "below.",
        ),
    )


def _replayed(run: Run) -> Facts:
    """State, if nothing was trained, where the results come from."""
    execution = run.plan.execution
    if not execution.replay:
        return ()
    digests = ", ".join(f"{one.digest[:12]}" for one in execution.tables)
    return (
        (
            "Replay",
            f"in simulated time on {execution.in_words}. Times and devices are those of the "
            f"trials that were trained then (SHA-256 of the results: {digests}).",
        ),
    )


def _own_settings(plan: StudyPlan) -> list[tuple[str, str]]:
    """Recipe settings that vary between trials, and how they are chosen."""
    tuned = plan.search.tune.keys if plan.search.tune else ()
    said = [
        f"{key} {', '.join(f'{value:g}' for value in values)}"
        + (
            " (tuned inside each network: the best of its tries with the first seed)"
            * (key in tuned)
        )
        for key, values in plan.varied.items()
    ]
    if plan.lr_rule is not None:
        said.append(
            f"lr {plan.lr_rule.lr:g} x (effective depth / {plan.lr_rule.effective_depth})^-1.5"
        )
    return [("Not of the recipe, but of each trial", "; ".join(said))] if said else []


def provenance(run: Run) -> Facts:
    """Summary of networks, recipe, data, budget and seeds, and of the journal file."""
    plan = run.plan
    written = {
        key: _written(value)
        for key, value in plan.model_dump(mode="json", exclude=_SAID_APART).items()
        if isinstance(value, dict)
    }
    facts = [
        ("Study", run.name),
        *_replayed(run),
        ("Task", _choice(plan.task)),
        ("Objectives", ", ".join(f"{one.direction} {titled(one)}" for one in run.objectives)),
        ("Block", plan.network.block),
        ("Networks", written["network"]),
        ("Search", written["search"]),
        ("Sampler's traits", ", ".join(sorted(run.manifest.sampler_traits)) or "none"),
        ("Budget", written["budget"] or "none"),
        ("Recipe", written["training"]),
        *_own_settings(plan),
        ("Data", written["data"]),
        ("Files left aside", "; ".join(plan.data.aside_lines()) or "none"),
        ("Images left out", "; ".join(run.left_out) or "none"),
        ("Seeds", _seeds(run)),
        ("Early stopping", _stopping(run)),
        ("Confirmation", written.get("confirm") or "none"),
        ("Weights kept", f"of the best {plan.keep.best} of the search, and all confirmed"),
        ("Resources of a trial", written["resources"]),
    ]
    journal = (run.folder / FILE).read_bytes()
    digest = hashlib.sha256(journal).hexdigest()
    return (*facts, ("Record", f"{FILE}, {len(journal):,} bytes, SHA-256 {digest}"))


def starts(run: Run) -> pd.DataFrame:
    """Every start of the run's command, one row each, in words."""
    columns = ["time", "commit", "python", "versions", "hardware", "command"]
    return pd.DataFrame([_start(one) for one in run.starts], columns=columns)


def parts(run: Run) -> pd.DataFrame:
    """The user-defined parts of a run and their origin, one row each, in words."""
    rows = [
        (one.key, one.name, one.source or UNKNOWN, one.version or "none", one.digest or "none")
        for one in run.manifest.parts
    ]
    return pd.DataFrame(rows, columns=["key", "name", "file", "version", "digest"])


def as_yaml(data: Any) -> str:
    """Convert plain data to YAML."""
    file = io.StringIO()
    YAML().dump(data, file)
    return file.getvalue()


def _start(start: dict[str, Any]) -> dict[str, str]:
    versions = start.get("versions") or {}
    return {
        "time": str(start.get("time") or UNKNOWN),
        "commit": commit_of(start),
        "python": str(start.get("python") or UNKNOWN),
        "versions": ", ".join(f"{name} {number}" for name, number in versions.items()),
        "hardware": hardware_of(start),
        "command": shlex.join(map(str, start.get("command") or ())),
    }


def _device_hours(run: Run, seconds: float) -> tuple[str, str]:
    """Device-hours: a trial with half a GPU for two hours takes one GPU-hour."""
    share, kind = run.device_share
    return (
        f"{kind}-hours",
        f"{seconds * share / 3600:.2f}: that time at {share:g} "
        f"{kind}{'s' if share != 1 else ''} per trial, as in the newest start",
    )


def _energy(trials: pd.DataFrame) -> str:
    joules = trials["energy_j"].dropna().astype(float)
    if joules.empty:
        return "not measured"
    return (
        f"{joules.sum() / 3.6e6:.3f} kWh ({joules.sum():,.0f} J), from the "
        f"{len(joules):,} of {how_many(len(trials), 'trial')} whose device reported it"
    )


def _memory(run: Run, trials: pd.DataFrame) -> str:
    peak = trials["peak_memory_bytes"].dropna().astype(float)
    if peak.empty:
        return "not measured"
    of = "of the GPU" if run.plan.resources.gpu else "of a trial's whole process"
    name = trials.loc[peak.index, "name"].iloc[int(peak.argmax())]
    return f"{peak.max() / _GIB:.2f} GiB {of} ({name}); median {peak.median() / _GIB:.2f} GiB"


def _counted(values: pd.Series) -> str:
    counts = values.value_counts()
    return ", ".join(f"{value} ({how_many(count, 'trial')})" for value, count in counts.items())


def _first(members: pd.DataFrame) -> str:
    numbers = members["trial"].tolist()
    return ", ".join(map(str, numbers[:_FEW])) + (", ..." if len(numbers) > _FEW else "")


def _seeds(run: Run) -> str:
    search = run.plan.search
    values = list(dict.fromkeys(run.trials["seed"].tolist()))
    listed = ", ".join(map(str, values)) if len(values) <= _FEW else f"{len(values):,} values"
    return (
        f"search.seed {search.seed}; {search.seeds} per network; of the trials: "
        f"{listed or 'none yet'}"
    )


def _stopping(run: Run) -> str:
    traits = ", ".join(sorted(run.manifest.scheduler_traits))
    return f"{_choice(run.plan.scheduler)}: {traits}" if traits else "none"


def _choice(choice: Choice) -> str:
    options = _written(choice.options)
    return f"{choice.name} ({options})" if options else choice.name


def _written(section: dict[str, Any]) -> str:
    """Write the keys of a section that are set in one line."""
    return "; ".join(f"{key} {_value(value)}" for key, value in section.items() if _set(value))


def _set(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_set, value.values()))
    return value is not None and value != []


def _value(value: Any) -> str:
    if isinstance(value, dict):
        inside = (f"{key} {_value(one)}" for key, one in value.items() if _set(one))
        return f"({', '.join(inside)})"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(_value, value)) + "]"
    if isinstance(value, bool):
        return "yes" if value else "no"
    whole = isinstance(value, int) and value >= 10_000
    return f"{value:,} ({format_amount(value)})" if whole and value >= 10**6 else str(value)
