"""What to do where seeds or networks are missing: by the plan, and by what became of it."""

from pathlib import Path
from typing import Any

import pytest

from analysis.questions.remedies import for_more_networks, for_more_seeds
from search.study.events import Status
from tests.analysis.made import made, network


@pytest.mark.parametrize(
    ("ends", "seeds", "remedy"),
    [
        (["ok"], 1, "run it with --set search.seeds=2 or more"),
        (["ok"], 2, "let the run go on"),
        (["ok", "failed"], 2, "mend what failed, and start the study with --retry failed"),
        (
            ["ok", "out-of-memory"],
            2,
            "mend what failed, and start the study with --retry out-of-memory",
        ),
        (
            ["ok", "diverged"],
            2,
            "run it with a recipe that does not diverge, such as a lower lr",
        ),
        (["ok", "ok"], 2, "run it with more networks, or let the scheduler stop fewer of them"),
    ],
)
def test_the_remedy_is_that_of_the_cause(
    ends: list[str], seeds: int, remedy: str, tmp_path: Path
) -> None:
    rows: list[dict[str, Any]] = [
        {"network": network(1), "seed": i, "repeat": i, "status": Status(end), "val_error": 9.0}
        for i, end in enumerate(ends)
    ]
    run = made(tmp_path, rows, "search.trials=1", f"search.seeds={seeds}")
    assert for_more_seeds(run) == remedy
    if seeds > 1:
        assert for_more_networks(run) == remedy
