"""Small studies of the tasks that say something of pixels or points, for their tests."""

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from search.engine.bench import Bench, make_bench
from search.engine.training import Trainer
from search.scenes.scene import Part, Scene, SceneSplits
from search.schema.study_plan import StudyPlan
from search.schema.tasks import TASKS as TASK_TABLE
from search.space.resolve import Resolved
from search.tasks.base import make_task
from tests.search.spaces import resolved_of

SPACE = """\
study: dense
network: {{skeleton: imagenet, planes: 2, depth: [14], width: 2, scale: [2]{seen}}}
data: {{name: digit_scenes, validation: 6, train: 12, test: 8}}
task: {task}
training: {{epochs: 2, batch_size: 4, optimizer: adamw, lr: 0.01, precision: fp32}}
search: {{sampler: grid}}
"""
TASKS = {
    "segmentation": "{name: segmentation, channels: 4}",
    "saliency": "{name: saliency, channels: 4}",
    "keypoints": "{name: keypoints, channels: 4, window: [32, 32], sigma: 1.0}",
}


def _where_installed(task: str) -> Any:
    """A task as a parameter, of tests that are skipped where its library is not installed."""
    library = TASK_TABLE[task].libraries[0]
    missing = pytest.mark.skipif(not find_spec(library), reason=f"{library} is an extra")
    return pytest.param(task, marks=missing)


HERE = [_where_installed(task) for task in TASKS]
CPU = torch.device("cpu")


class Listed:
    """Scenes of a list."""

    classes: tuple[str, ...] = ("one", "two")
    joints: tuple[str, ...] = ("left", "right")
    mirrored: tuple[int, ...] = (1, 0)

    def __init__(self, scenes: Sequence[Scene]) -> None:
        self._scenes = scenes

    def __len__(self) -> int:
        return len(self._scenes)

    def __getitem__(self, index: int) -> Scene:
        return self._scenes[index]


def splits_of(scenes: Sequence[Scene]) -> SceneSplits:
    """The same scenes in all three parts, which only a test may have."""
    part = Part(Listed(scenes), range(len(scenes)))
    return SceneSplits(part, part, part, Listed.classes, Listed.joints, Listed.mirrored)


def image_of(rng: np.random.Generator, high: int, wide: int) -> Any:
    """Noise."""
    return rng.integers(0, 256, (high, wide, 3)).astype(np.uint8)


def space_of(task: str, tasks: Mapping[str, str] = TASKS) -> str:
    """The space file of a task; keypoints see windows, the others squares of 32 px."""
    seen = "" if task == "keypoints" else ", resolution: [32]"
    return SPACE.format(task=tasks[task], seen=seen)


def resolved(folder: Path, task: str, *overrides: str) -> Resolved:
    """A study of a task on scenes of digits."""
    return resolved_of(folder, space_of(task), *overrides)


def plan_of(folder: Path, task: str, *overrides: str) -> StudyPlan:
    """Its plan."""
    return resolved(folder, task, *overrides).plan


def task_of(plan: StudyPlan, scenes: Sequence[Scene]) -> Any:
    """The task of a plan on other scenes."""
    return make_task(plan, "", device=CPU, images=splits_of(scenes))


def trainer_of(folder: Path, task: str, *overrides: str) -> Trainer:
    """A training of the only network of the study."""
    plan, survey = resolved(folder, task, *overrides)
    bench: Bench = make_bench(plan, Path("nowhere"))
    return Trainer(survey.architecture(0), bench, epochs=plan.training.epochs, seed=3)


class Said:
    """Stands where a network would: says what it was told, in the order of the images."""

    def __init__(self, answers: Tensor) -> None:
        self._answers, self._at = answers, 0

    def __call__(self, images: Tensor) -> Tensor:
        start, self._at = self._at, self._at + len(images)
        return self._answers[start : self._at]
