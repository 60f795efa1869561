"""Tables and the first figure of a run: python -m analysis.summary RUN.

Reads the journal and writes trials.csv, epochs.csv and figures/accuracy_vs_macs.png (and .svg)
beside it, each whole or not at all.
"""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from analysis.plots.main import draw_accuracy_vs_macs
from analysis.plots.style import save
from analysis.runs.networks import by_network
from analysis.runs.pareto import accuracy_vs_macs
from analysis.runs.run import Run, RunError, read_run
from search.study.journal import JournalError


def main(argv: Sequence[str]) -> int:
    """Summarise the runs named; 0, or 2 where one is none or cannot be read."""
    if not argv or argv[0] in ("-h", "--help"):
        print(__doc__, file=sys.stderr)
        return 0 if argv else 2
    for folder in map(Path, argv):
        try:
            written = summarise(folder)
        except (JournalError, RunError) as error:
            print(error, file=sys.stderr)
            return 2
        for label, path in written.items():
            print(f"{label}: {path}")
    return 0


def summarise(folder: Path) -> dict[str, Path]:
    """Write the tables and the figure of a run; what was written, by what it is.

    Raises:
        RunError: the folder holds no run.
        JournalError: its journal cannot be read.
    """
    run = read_run(folder)
    figure = draw_accuracy_vs_macs(accuracy_vs_macs(by_network(run)), title=_title(run))
    paths = {
        "figure": save(figure, folder / "figures" / "accuracy_vs_macs")[0],
        "trials": folder / "trials.csv",
        "epochs": folder / "epochs.csv",
    }
    _whole(paths["trials"], lambda part: run.trials.to_csv(part, index=False))
    _whole(paths["epochs"], lambda part: run.epochs.to_csv(part, index=False))
    return paths


def _title(run: Run) -> str:
    """What was tried, on what."""
    counts = run.trials[run.trials["phase"] == "search"]["status"].value_counts()
    outcomes = ", ".join(f"{count} {status}" for status, count in counts.items())
    return (
        f"{run.name}: Res2Net family on {run.config['data']['name']}, "
        f"{run.config['training']['epochs']} epochs a trial ({outcomes})"
    )


def _whole(path: Path, write: Callable[[Path], object]) -> None:
    part = path.with_name(path.name + ".part")
    write(part)
    part.replace(path)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
