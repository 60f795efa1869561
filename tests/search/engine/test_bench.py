"""What a process sets up once for all trials of a study."""

from pathlib import Path

import pytest
import torch

from search.engine.bench import make_bench
from tests.search.spaces import plan_of

CLASSES = """\
study: classes
network: {skeleton: imagenet, planes: 4, depth: [[1, 1, 1, 1]], width: 2, scale: 2}
data: {name: digits, validation: 37, train: 64}
training: {epochs: 1, batch_size: 32, precision: fp32}
search: {sampler: grid}
"""
BOXES = (
    CLASSES.replace(
        "digits, validation: 37, train: 64", "digit_scenes, validation: 4, train: 6"
    )
    .replace("batch_size: 32", "batch_size: 2")
    .replace("training:", "task: {name: detection, channels: 8, hidden: 16}\ntraining:")
)


@pytest.mark.parametrize(("space", "timed"), [(CLASSES, True), (BOXES, False)])
def test_a_gpu_times_its_algorithms_where_each_step_sees_the_same_sizes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, space: str, timed: bool
) -> None:
    """A detector sees hundreds of sizes, and for each it would time every convolution anew."""
    monkeypatch.setattr(torch.backends.cudnn, "benchmark", not timed)
    make_bench(plan_of(tmp_path, space), Path("nowhere"))
    assert torch.backends.cudnn.benchmark is timed
