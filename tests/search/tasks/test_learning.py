"""The examples learn: far above an untrained network, and above the simplest guess."""

from importlib.util import find_spec
from pathlib import Path

import pytest
import torch

from search import run_study
from search.engine.bench import make_bench
from search.engine.training import Trainer
from search.space.load import load_space
from search.space.resolve import resolve

SPACES = Path(__file__).parents[3] / "spaces"
# Of each score the simplest guess, and how many times as much an example must reach: all is
# background; all stands out; every point is at its mean place in the window; every object is
# found exactly, and all are said to be of one class.
GUESSES = {
    "segmentation": ("miou", 23.2, 1.4),
    "saliency": ("max_f", 0.09, 5),
    "keypoints": ("ap", 14.9, 2.5),
    "detection": ("ap", 12.7, 2),
    "instances": ("ap", 12.7, 1),
}


@pytest.mark.slow
@pytest.mark.parametrize("task", GUESSES)
def test_an_example_learns_far_more_than_a_guess(tmp_path: Path, task: str) -> None:
    """One or two trials, of one to some minutes each."""
    space = SPACES / f"digits_{task}.yaml"
    result = run_study(space, out=tmp_path / "run", inline=True)
    name, guess, times = GUESSES[task]
    plan, survey = resolve(*load_space(space))
    bench = make_bench(plan, Path("nowhere"))
    untrained = Trainer(survey.architecture(0), bench, epochs=1, seed=0).scores("test")[name]
    for trial in result.trials:
        assert trial.ended is not None
        assert trial.ended.metrics[f"test_{name}"] > times * max(guess, untrained)


@pytest.mark.slow  # that losses fall is tested of each task below
@pytest.mark.skipif(not find_spec("py_sod_metrics"), reason="is of the extra tasks")
def test_a_short_training_finds_more_than_a_guess(tmp_path: Path) -> None:
    """A few seconds of saliency: far from good, and twice what an untrained network finds."""
    space = load_space(
        SPACES / "digits_saliency.yaml",
        ("data.train=120", "data.validation=40", "training.epochs=3", "network.planes=4",
         "network.scale=[1]", "network.width=4", "budget={macs: {max: 8M}}"),
    )  # fmt: skip
    torch.set_num_threads(1)
    plan, survey = resolve(*space)
    bench = make_bench(plan, Path("nowhere"))
    trainer = Trainer(survey.architecture(0), bench, epochs=3, seed=0)
    before = trainer.scores("validation")
    for _ in range(3):
        after = trainer.epoch(trial=0)
    assert after is not None
    assert after.metrics["val_max_f"] > 2 * max(before["max_f"], GUESSES["saliency"][1])
    assert after.metrics["val_mae"] < before["mae"]
