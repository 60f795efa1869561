"""What a run cost and how it was made, added up from its trials."""

from dataclasses import replace
from pathlib import Path

import pytest

from analysis.pages import facts
from analysis.pages.run_page import run_page
from search.schema.execution import PlannedExecution, ReplayedTable
from search.study.events import Status, Taken
from tests.analysis.made import OVERRIDES, made, network, parsed, seeded


def test_failures_are_grouped_by_reason(tmp_path: Path) -> None:
    outcomes = [
        (Status.FAILED, "disk"), (Status.DIVERGED, "nan"), (Status.DIVERGED, "nan"),
        (Status.OUT_OF_MEMORY, "8 GiB"), (Status.PRUNED, ""),
    ]  # fmt: skip
    rows = [
        {"network": network(1), "seed": seed, "status": status, "reason": reason}
        for seed, (status, reason) in enumerate(outcomes)
    ]
    page = parsed(run_page, made(tmp_path, rows, "search.trials=5"))
    assert page.tables["failed"][1:] == [
        ["diverged", "nan", "1, 2", "2"],
        ["failed", "disk", "0", "1"],
        ["out-of-memory", "8 GiB", "3", "1"],
    ]
    assert "4 of 5 trials that ended failed" in page.text["failures"]
    assert "1 was stopped early by the scheduler" in page.text["failures"]


def test_what_it_cost_is_added_up(tmp_path: Path) -> None:
    rows = [
        {"network": network(1), "seed": seed, "val_error": 5.0, "seconds": seconds,
         "taken": Taken(peak_memory=peak * 2**30, energy=energy)}
        for seed, seconds, peak, energy in ((1, 1800.0, 1, 1.8e6), (2, 5400.0, 3, None))
    ]  # fmt: skip
    run = made(tmp_path, rows, "search.trials=2", "resources.cpu=4")
    cost = dict(facts.cost(run))
    assert cost["Time of the trials"].startswith(
        "2 h 0 min in total; one took 1 h 0 min (median)"
    )
    assert cost["CPU-hours"].startswith("8.00: that time at 4 CPUs per trial")
    assert cost["Energy"].startswith("0.500 kWh (1,800,000 J), from the 1 of 2 trials")
    assert cost["Peak memory"].startswith("3.00 GiB of a trial's whole process")
    shared = made(tmp_path / "gpu", rows, "search.trials=2", "resources={gpu: 0.25, cpu: 2}")
    assert dict(facts.cost(shared))["GPU-hours"].startswith("0.50: that time at 0.25 GPUs")


@pytest.mark.parametrize(
    ("commit", "said"),
    [
        ("abc", "abc"),
        ("abc-dirty", "abc with changes that were not committed"),
        (None, "not known: installed without its history"),
    ],
)
def test_the_commit_in_words(commit: str | None, said: str) -> None:
    assert facts.commit_of({"git_commit": commit}) == said


def test_a_replay_says_on_its_page_that_nothing_was_trained(tmp_path: Path) -> None:
    run = made(tmp_path / "trained", seeded(), *OVERRIDES)
    assert "Replay" not in dict(facts.provenance(run))
    known = ReplayedTable(digest="ab" * 32, trained="9 trials of 3 networks of tiny")
    execution = PlannedExecution(replay=("runs/a",), workers=4, tables=(known,))
    plan = run.plan.model_copy(update={"execution": execution})
    replayed = replace(run, manifest=run.manifest._replace(plan=plan))
    for told in (facts.cost(replayed), facts.provenance(replayed)):
        said = dict(told)["Replay"]
        assert "on 4 workers, of runs/a (9 trials of 3 networks of tiny)" in said
        assert "nothing is trained" in said
        assert "abababababab" in said
