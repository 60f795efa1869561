"""Benches and trials for tests, on images that need no file."""

from pathlib import Path

import torch

from search.engine.bench import Bench
from search.images.splits import Splits, load
from search.schema.data import Data, planned_data
from search.schema.training import PlannedTraining
from search.tasks.classification import Classification

CPU = torch.device("cpu")


def recipe(**changes: object) -> PlannedTraining:
    fields = {"epochs": 3, "batch_size": 32, "precision": "fp32", "crop": 0, "flip": False}
    return PlannedTraining.model_validate(fields | changes)


def bench_on(
    training: PlannedTraining, splits: Splits, device: torch.device = CPU, **options: object
) -> Bench:
    """A bench of a classification of these images."""
    task = Classification(training, splits, device=device, **options)  # type: ignore[arg-type]
    return Bench(training, task, ("error", "error_top5"), device)


def synthetic() -> Splits:
    return load(planned_data(Data(name="synthetic", validation=64)), Path("nowhere"))
