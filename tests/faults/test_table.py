"""docs/faults.md: every fault of it is tried somewhere."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
NOT_TRIED = (
    "power cut",
    "one of them to every process of a batch system's step, Ray's too",
)


def test_each_line_names_the_file_that_tries_it() -> None:
    text = (ROOT / "docs" / "faults.md").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line.startswith("| ")][1:]
    assert len(lines) > 20
    for line in lines:
        fault, *_, tried = (cell.strip() for cell in line.strip("|").split("|"))
        if fault in NOT_TRIED:
            assert tried == "not tried"
            continue
        link = re.fullmatch(r"\[\w+\]\((\S+)\)", tried)
        assert link is not None, line
        file = ROOT / "docs" / link[1]
        assert "def test_" in file.read_text(encoding="utf-8"), line
