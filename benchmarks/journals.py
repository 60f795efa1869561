"""Writes synthetic journals of studies, to time the code that reads long ones.

The usual journal classes write them, with networks drawn at random from a space and synthetic
errors; nothing is trained, and the figures say nothing about networks.
"""

from pathlib import Path

import numpy as np

from search.space.configuration import architecture_to_json
from search.space.load import load_space
from search.space.resolve import resolve
from search.study import manifest
from search.study.events import Ended, Epoch, Started, Status
from search.study.journal import Journal


def write(folder: Path, text: str, *, trials: int) -> Path:
    """Write a run of random networks whose errors fall by epoch and are lower for larger ones.

    Args:
        folder: folder of the run, which is created.
        text: text of its space file.
        trials: number of trials, at most the number of candidates.

    Returns:
        The path of the space file.
    """
    folder.mkdir(parents=True)
    space = folder / "asked.yaml"
    space.write_text(text, encoding="utf-8")
    plan, surveyed = resolve(*load_space(space))
    epochs = plan.training.epochs
    rng = np.random.default_rng(0)
    drawn = rng.permutation(len(surveyed))[:trials]
    with Journal(folder) as journal:
        manifest.note(folder, plan, space=text, command=["python", "-m", "search.run"])
        for trial, candidate in enumerate(map(int, drawn)):
            network, counted = surveyed.architecture(candidate), surveyed.cost(candidate)
            error = 60 - 4 * np.log10(counted.macs) + float(rng.normal(0, 1))
            journal.append(
                Started(
                    trial=trial, phase="search", name=network.name, seed=1, epochs=epochs,
                    architecture=architecture_to_json(network), threads=1,
                    params=counted.params, macs=counted.macs, activations=counted.activations,
                    time=0.0,
                )
            )  # fmt: skip
            for epoch in range(1, epochs + 1):
                now = error + 40 / epoch
                scores = {"val_error": now, "val_error_top5": now / 2}
                journal.append(
                    Epoch(
                        trial=trial, epoch=epoch, images_per_s=1000.0, seconds=1.0,
                        metrics={"train_loss": 1.0, **scores},
                    )
                )  # fmt: skip
            scores |= {"test_error": now, "test_error_top5": now / 2}
            journal.append(
                Ended(
                    trial=trial, status=Status.OK, epochs=epochs, metrics=scores,
                    seconds=float(epochs), device="cpu", time=1.0,
                )
            )  # fmt: skip
