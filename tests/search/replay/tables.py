"""Made tables of results: no network was trained for them, and none need be."""

import csv
import random
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from search.schema.study_plan import StudyPlan
from search.space.survey import Survey

Row = dict[str, Any]
Change = Callable[[list[Row]], Iterable[Row]]


def rows_of(plan: StudyPlan, survey: Survey, *, repeats: int = 2) -> list[Row]:
    """A row for each epoch of each candidate: better with each, quicker for small networks."""
    draw = random.Random(0)
    rows: list[Row] = []
    for candidate in range(len(survey)):
        name, macs = survey.architecture(candidate).name, survey.cost(candidate).macs
        for repeat in range(repeats):
            error = draw.uniform(20, 80)
            for epoch in range(1, plan.training.epochs + 1):
                error *= draw.uniform(0.6, 1.0)
                last = epoch == plan.training.epochs
                rows.append(
                    {
                        "network": name,
                        "repeat": repeat,
                        "epoch": epoch,
                        "train_loss": error / 50,
                        "val_error": error,
                        "val_error_top5": error / 4,
                        "test_error": error + 1 if last else "",
                        "test_error_top5": error / 4 + 1 if last else "",
                        "seconds": macs / 2**17,
                        "status": "ok" if last else "",
                    }
                )
    return rows


def write_table(path: Path, rows: Iterable[Row]) -> Path:
    """Write a table as anybody's spreadsheet does."""
    rows = list(rows)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path
