"""Tables and the first figure of a run: python -m analysis.summary RUN.

Reads the journal and writes trials.csv, epochs.csv and figures/accuracy_vs_macs.png (and .svg)
beside it, each whole or not at all.
"""

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd

from analysis.front import accuracy_vs_macs
from analysis.look import save
from analysis.plots import draw_accuracy_vs_macs
from analysis.tables import epochs, trials
from search.journal import FILE, JournalError
from search.manifest import FILE as MANIFEST


def main(argv: Sequence[str]) -> int:
    """Summarise the runs named; 0, or 2 where one is none or cannot be read."""
    if not argv or argv[0] in ("-h", "--help"):
        print(__doc__, file=sys.stderr)
        return 0 if argv else 2
    for folder in map(Path, argv):
        if not (folder / FILE).exists():
            print(
                f"{folder}: holds no {FILE}; name a run, such as runs/quickstart",
                file=sys.stderr,
            )
            return 2
        try:
            written = summarise(folder)
        except (JournalError, FileNotFoundError) as error:
            print(error, file=sys.stderr)
            return 2
        for label, path in written.items():
            print(f"{label}: {path}")
    return 0


def summarise(folder: Path) -> dict[str, Path]:
    """Write the tables and the figure of a run; what was written, by what it is."""
    table = trials(folder)
    figure = draw_accuracy_vs_macs(accuracy_vs_macs(table), title=_title(folder, table))
    paths = {
        "figure": save(figure, folder / "figures" / "accuracy_vs_macs")[0],
        "trials": folder / "trials.csv",
        "epochs": folder / "epochs.csv",
    }
    _whole(paths["trials"], lambda part: table.to_csv(part, index=False))
    _whole(paths["epochs"], lambda part: epochs(folder).to_csv(part, index=False))
    return paths


def _title(folder: Path, table: pd.DataFrame) -> str:
    """What was tried, on what: from the manifest, which a run always has."""
    config = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["config"]
    counts = table[table["phase"] == "search"]["status"].value_counts()
    outcomes = ", ".join(f"{count} {status}" for status, count in counts.items())
    return (
        f"{config['study']}: Res2Net family on {config['data']['name']}, "
        f"{config['training']['epochs']} epochs a trial ({outcomes})"
    )


def _whole(path: Path, write: Callable[[Path], object]) -> None:
    part = path.with_name(path.name + ".part")
    write(part)
    part.replace(path)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
