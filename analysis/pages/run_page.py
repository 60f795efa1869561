"""Assembles the report of one run from what other modules computed and drew.

Input: a `Run`. Output: a `page.Page` with question, conclusion, figures, trials, failures,
cost, and how it was made.
"""

from pandas.api.types import is_numeric_dtype

from analysis.cards.card import Column
from analysis.cards.deck import cards_of
from analysis.pages import facts, page
from analysis.pages.cards import card_sections
from analysis.pages.findings import findings
from analysis.pages.page import Page, Section, Table
from analysis.pages.run_figures import networks_table, run_figures
from analysis.pages.weights import kept_weights
from analysis.runs.run import Run
from analysis.runs.scores import form_of, with_unit
from search.schema.wording import how_many

_DIMENSIONS = ("depth", "width", "scale", "cardinality")
_TRIED = (
    Column("trial", "trial", "d"),
    Column("network", "name"),
    Column("phase", "phase"),
    Column("status", "status"),
)
_TRAINED = (
    Column("params", "params", ","),
    Column("MACs", "macs", ","),
    Column("skeleton", "skeleton"),
    *(Column(key, key) for key in _DIMENSIONS),
    Column("SE", "se"),
    Column("seed", "seed", "d"),
    Column("epochs", "epochs", ".0f"),
    Column("time (s)", "seconds", ",.1f"),
    Column("parts of a batch", "parts", ".0f"),
    Column("trained in", "trained_in"),
    Column("reason", "reason"),
)
# Columns left out of the table if all trials agree, as they then only take up room.
_MAY_AGREE = ("phase", "skeleton", "se", "parts", "trained_in", "reason")
_FAILURES = (
    Column("status", "status"),
    Column("reason", "reason"),
    Column("trials, by number", "trials"),
    Column("count", "count", ","),
)
_CONDITIONAL = (
    "Inference is conditional on one subset of images, one split and one test set: "
    "intervals cover what other seeds would do, not other images."
)
_REASONS, _LONGEST = 200, 1000  # listed at most, and characters of each
_PARTS = tuple(Column(key, key) for key in ("key", "name", "file", "version", "digest"))
_WEIGHTS = (
    Column("network", "network"),
    Column("phase", "phase"),
    Column("seed", "seed", ".0f"),
    Column("epochs", "epochs", ".0f"),
    Column("metrics", "metrics"),
    Column("loaded by", "line"),
)
_STARTS = tuple(
    Column(key, key) for key in ("time", "commit", "python", "versions", "hardware", "command")
)


_NO_QUESTION = "The space file states no question: a comment at its top would appear here."


def run_page(run: Run) -> Page:
    """Assemble the report of one run."""
    asked = facts.question(run)
    weights = page.table(
        kept_weights(run), _WEIGHTS, name="kept", caption="Files in networks/, best first"
    )
    parts = page.table(
        facts.parts(run), _PARTS, name="foreign", caption="Where foreign parts come from"
    )
    return Page(
        title=f"Report of {run.name}",
        banner=run.banner(),
        sections=(
            Section(
                name="question",
                title="The question",
                paragraphs=tuple(asked or [_NO_QUESTION]),
                facts=(("Study", run.name), ("Run", str(run.folder)), *facts.asked(run)),
            ),
            _conclusion(run),
            Section(name="figures", title="Figures", figures=tuple(run_figures(run))),
            *card_sections(cards_of(run)),
            Section(name="trials", title="Every trial", tables=(trials_table(run),)),
            failures_section(run),
            Section(name="cost", title="What it cost", facts=facts.cost(run)),
            Section(
                name="weights",
                title="Kept weights",
                paragraphs=() if weights.rows else ("None are kept in the run's folder.",),
                tables=(weights,) if weights.rows else (),
            ),
            Section(
                name="parts",
                title="Parts from outside",
                paragraphs=() if parts.rows else ("None: every part belongs to this project.",),
                tables=(parts,) if parts.rows else (),
            ),
            _made(run),
        ),
    )


def trials_table(run: Run) -> Table:
    """Table of every trial of a run, whatever its outcome."""
    trials = run.trials
    agreed = {key for key in _MAY_AGREE if len(trials[key].unique()) <= 1}
    if trials["reason"].replace("", None).notna().any():
        agreed.discard("reason")
    plain = {key for key in _DIMENSIONS if is_numeric_dtype(trials[key])}  # not 1.2.4
    columns = [
        column._replace(form="d") if column.key in plain else column
        for column in (*_TRIED, *_settings(run), *_scored(run), *_TRAINED)
        if column.key not in agreed
    ]
    return page.table(
        trials.assign(reason=[_cut(reason) for reason in trials["reason"]]),
        columns,
        name="every-trial",
        caption=f"{how_many(len(trials), 'trial')}, whatever came of them; val is validation; "
        "scores after the last epoch",
        sortable=True,
    )


def _settings(run: Run) -> list[Column]:
    """Columns for the settings of trials besides their network."""
    several = ("planes",) if len(run.plan.network.planes) > 1 else ()
    return [Column(key.replace("_", " "), key, ".4g") for key in (*several, *run.plan.settings)]


def _scored(run: Run) -> list[Column]:
    """Columns for the ranking metric on both splits, user-defined objectives, measurements."""
    scored = [
        Column(with_unit(one.label, one.unit), one.column, form_of(one))
        for one in (run.ranking, run.tested)
    ]
    counted = [one for one in run.objectives if one.source == "counted"]
    known = {column.key for column in _TRAINED}
    costs = [Column(one.label, one.column, ".6g") for one in counted if one.column not in known]
    measured = run.plan.measured
    columns = [
        Column(
            with_unit(one.label, one.unit) + end, f"{one.column}{end.replace(' ', '_')}", ".4g"
        )
        for one in measured
        for end in (("", " low", " high") if one.has_quartiles else ("",))
    ]
    timed = any(one.unit for one in measured)
    alone = [Column("measured alone", "measured_alone")] if timed else []
    return scored + costs + columns + alone


def _conclusion(run: Run) -> Section:
    confirmed = networks_table(run, phase="confirm")
    return Section(
        name="conclusion",
        title="The conclusion",
        paragraphs=(*findings(run), *((_CONDITIONAL,) if len(run.whole()) else ())),
        tables=(confirmed,) if confirmed.rows else (),
    )


def failures_section(run: Run) -> Section:
    """What failed, was stopped early or rejected, by reason."""
    failed = facts.failures(run.trials)
    stopped = int((run.trials["status"] == "pruned").sum())
    total = int(failed["count"].sum())
    ended = int((run.trials["status"] != "running").sum())  # of every plan, as the failures
    said = [
        f"{total:,} of {how_many(ended, 'trial')} that ended failed."
        if total
        else "None failed."
    ]
    if stopped:
        were = "was" if stopped == 1 else "were"
        said.append(
            f"{stopped:,} {were} stopped early by the scheduler, which is not a failure."
        )
    rejected = int((run.trials["status"] == "rejected").sum())
    if rejected:
        were = "was" if rejected == 1 else "were"
        said.append(
            f"{rejected:,} {were} rejected before training: the network was "
            f"{run.plan.rejected_as}, which is not a failure."
        )
    shown = failed.head(_REASONS)
    shown = shown.assign(reason=[_cut(reason, _LONGEST) for reason in shown["reason"]])
    caption = "Failed trials by status and reason" + (
        f", the {_REASONS} most frequent of {len(failed):,}" if len(failed) > _REASONS else ""
    )
    grouped = page.table(shown, _FAILURES, name="failed", caption=caption)
    return Section(
        name="failures",
        title="Failures",
        paragraphs=tuple(said),
        tables=(grouped,) if total else (),
    )


def _cut(reason: str, most: int = 80) -> str:
    """Shorten a reason, so that a table of ten thousand rows stays readable."""
    return reason if len(reason) <= most else reason[: most - 3] + "..."


def _made(run: Run) -> Section:
    space = run.folder / "space.yaml"
    text = space.read_text(encoding="utf-8", errors="replace") if space.is_file() else ""
    started = facts.starts(run)
    return Section(
        name="made",
        title="How it was made",
        facts=facts.provenance(run),
        tables=(
            page.table(
                started,
                _STARTS,
                name="starts",
                caption=f"Starts of its command: {len(started)}",
            ),
        ),
        texts=(
            ("The space file as it was written", text or "space.yaml is not in the folder"),
            (
                "The whole plan, with defaults filled in (from the manifest)",
                facts.as_yaml(run.plan.model_dump(mode="json")),
            ),
        ),
    )
