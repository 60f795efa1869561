"""What a run cost and how it was made: facts that its journal and manifest hold.

Goes in: a `Run`. Come out: labelled facts and tables, which the report shows as they are.
"""

import hashlib
import io
import shlex
from typing import Any

import pandas as pd
from ruamel.yaml import YAML

from analysis.runs.provenance import UNKNOWN, commit_of, hardware_of
from analysis.runs.run import Run
from search.schema.units import duration, format_amount
from search.study.journal import FILE

Facts = tuple[tuple[str, str], ...]

_GIB = 2**30
_FEW = 8  # seeds that are listed; of more, how many there are
_FAILED = ("diverged", "out-of-memory", "failed")


def question(run: Run) -> list[str]:
    """The comment that opens the run's space file, by paragraphs; none where it has none."""
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


def failures(trials: pd.DataFrame) -> pd.DataFrame:
    """Trials that failed, by how and why, the most frequent first.

    Args:
        trials: from `analysis.runs.tables.trials`.

    Returns:
        `status`, `reason`, `count`, and the first few `trials` of each by number.
    """
    failed = trials[trials["status"].isin(_FAILED)]
    rows = [
        {"status": status, "reason": reason, "count": len(members), "trials": _first(members)}
        for (status, reason), members in failed.groupby(["status", "reason"], sort=False)
    ]
    frame = pd.DataFrame(rows, columns=["status", "reason", "count", "trials"])
    return frame.sort_values("count", ascending=False, kind="stable").reset_index(drop=True)


def cost(run: Run) -> Facts:
    """Time, device hours, energy and memory of the trials that have ended."""
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
            f"{duration(total)} added up; one took {duration(seconds.median())} (median), "
            f"{duration(seconds.min())} to {duration(seconds.max())}. That is the trials' own "
            "time in their epochs: they may have run side by side, and starting, waiting and "
            "the test images are not in it, nor are trials under way.",
        ),
        _device_hours(run, total),
        ("Devices", _counted(trials["device"].replace("", UNKNOWN).dropna())),
    ]
    preparation = trials["preparation_seconds"].dropna().astype(float)
    if preparation.sum() > 0:
        facts.append(("Capturing and compiling", duration(preparation.sum()) + ", in no epoch"))
    return (*facts, ("Energy", _energy(trials)), ("Peak memory", _memory(run, trials)))


def provenance(run: Run) -> Facts:
    """Networks, recipe, data, budget and seeds in short, and the record they stand in."""
    config = run.config
    facts = [
        ("Study", run.name),
        ("Search", _written(config["search"])),
        ("Budget", _written(config["budget"]) or "none"),
        ("Recipe", _written(config["training"])),
        ("Data", _written(config["data"])),
        ("Images left out", "; ".join(run.left_out) or "none"),
        ("Seeds", _seeds(run)),
        ("Early stopping", _stopping(config.get("scheduler") or {})),
        ("Confirmation", _written(config.get("confirm") or {}) or "none"),
        ("Resources of a trial", _written(config["resources"])),
    ]
    journal = (run.folder / FILE).read_bytes()
    digest = hashlib.sha256(journal).hexdigest()
    return (*facts, ("Record", f"{FILE}, {len(journal):,} bytes, SHA-256 {digest}"))


def starts(run: Run) -> pd.DataFrame:
    """Every start of the run's command: a row each, in words."""
    columns = ["time", "commit", "python", "versions", "hardware", "command"]
    return pd.DataFrame([_start(one) for one in run.starts], columns=columns)


def as_yaml(data: Any) -> str:
    """Plain data as YAML."""
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
    """A trial that has half a GPU for two hours took one GPU-hour."""
    resources = run.config["resources"]
    gpu, cpu = resources["gpu"], resources["cpu"]
    if gpu == "auto":
        return "GPU-hours", f"{UNKNOWN}: how much of a GPU a trial had was not written down"
    share, kind = (gpu, "GPU") if gpu else (cpu, "CPU")
    return (
        f"{kind}-hours",
        f"{seconds * share / 3600:.2f}: that time at {share:g} {kind}"
        f"{'s' if share != 1 else ''} a trial, as the newest start had it",
    )


def _energy(trials: pd.DataFrame) -> str:
    joules = trials["energy_j"].dropna().astype(float)
    if joules.empty:
        return "not measured"
    return (
        f"{joules.sum() / 3.6e6:.3f} kWh ({joules.sum():,.0f} J), of the {len(joules):,} of "
        f"{len(trials):,} trials whose device told"
    )


def _memory(run: Run, trials: pd.DataFrame) -> str:
    peak = trials["peak_memory_bytes"].dropna().astype(float)
    if peak.empty:
        return "not measured"
    of = "of the GPU" if run.config["resources"]["gpu"] else "of a trial's whole process"
    name = trials.loc[peak.index, "name"].iloc[int(peak.argmax())]
    return f"{peak.max() / _GIB:.2f} GiB {of} ({name}); median {peak.median() / _GIB:.2f} GiB"


def _counted(values: pd.Series) -> str:
    counts = values.value_counts()
    return ", ".join(f"{value} ({count:,} trials)" for value, count in counts.items())


def _first(members: pd.DataFrame) -> str:
    numbers = members["trial"].tolist()
    return ", ".join(map(str, numbers[:_FEW])) + (", ..." if len(numbers) > _FEW else "")


def _seeds(run: Run) -> str:
    search = run.config["search"]
    values = list(dict.fromkeys(run.trials["seed"].tolist()))
    each = search.get("seeds", 1)
    listed = ", ".join(map(str, values)) if len(values) <= _FEW else f"{len(values):,} values"
    return (
        f"search.seed {search['seed']}; {each} a network; of the trials: {listed or 'none yet'}"
    )


def _stopping(scheduler: dict[str, Any]) -> str:
    if scheduler.get("name") == "fifo":
        return "none"
    return _written(scheduler) or UNKNOWN


def _written(section: dict[str, Any]) -> str:
    """The keys of a section that are set, in one line."""
    return "; ".join(f"{key} {_value(value)}" for key, value in section.items() if _set(value))


def _set(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_set, value.values()))
    return value is not None


def _value(value: Any) -> str:
    if isinstance(value, dict):
        inside = (f"{key} {_value(one)}" for key, one in value.items() if _set(one))
        return f"({', '.join(inside)})"
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    if isinstance(value, bool):
        return "yes" if value else "no"
    whole = isinstance(value, int) and value >= 10_000
    return f"{value:,} ({format_amount(value)})" if whole and value >= 10**6 else str(value)
