"""Runs whose results are known: a real study and its journal, with errors that a test says."""

from collections.abc import Callable
from pathlib import Path

from search.space.load import load_space
from search.space.resolve import resolve
from search.study import manifest
from search.study.events import Ended, Epoch, Started, Status
from search.study.journal import Journal
from search.study.study import Study

FIG5 = """\
# Which dimension pays?
study: fig5
network:
  depth: [29, 56, 83, 110, 137, 164]
  cardinality: [6, 12, 18, 24, 30, 36]
  scale: [1, 2, 3, 4, 5, 6]
  width: 24
data: {name: cifar100, validation: 5000}
training: {epochs: 2}
search: {sampler: axes, seeds: 4}
"""
Error = Callable[[Started], float | None]


def write_run(folder: Path, error: Error, *, text: str = FIG5, stop_after: int = 10**9) -> Path:
    """Write the run of a space file; each trial has the test error that is said at each epoch.

    Its validation error is one point higher, so that none is taken for the other.

    Args:
        folder: where the run goes.
        error: of a trial in percent, on validation and test images; None: it failed.
        text: the space file.
        stop_after: trials, after which the run is left as it is.
    """
    folder.mkdir(parents=True, exist_ok=True)
    space = folder / "asked.yaml"
    space.write_text(text, encoding="utf-8")
    plan, survey = resolve(*load_space(space))
    with Journal(folder) as journal:
        manifest.note(folder, plan, space=text, command=["python", "-m", "search.run"])
        study = Study(plan, survey, journal)
        for _ in range(stop_after):
            started = study.next()
            if started is None:
                break
            end(study, started, error(started))
    return folder


def end(study: Study, started: Started, error: float | None) -> None:
    """Report a trial whole, with this error; None: it failed."""
    for number in range(1, started.epochs + 1):
        if error is None:
            break
        stopped = study.report(
            Epoch(
                trial=started.trial,
                epoch=number,
                metrics={
                    "train_loss": 1.0,
                    "val_error": error + 1,
                    "val_error_top5": error / 2,
                },
                images_per_s=100.0,
                seconds=5.0,
            )
        )
        if stopped:
            return
    study.end(
        Ended(
            trial=started.trial,
            status=Status.FAILED if error is None else Status.OK,
            reason="it broke" if error is None else "",
            epochs=0 if error is None else started.epochs,
            metrics={} if error is None else _scores(error),
            seconds=10.0,
            device="cpu",
            time=1.0,
        )
    )


def _scores(error: float) -> dict[str, float]:
    return {
        "val_error": error + 1,
        "val_error_top5": error,
        "test_error": error,
        "test_error_top5": error,
    }
