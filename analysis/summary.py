"""Writes the tables and the first figure of a run: python -m analysis.summary RUN.

Reads the journal and writes trials.csv, epochs.csv and figures/pareto.png (and .svg) beside it,
each whole or not at all.
"""

import argparse
import csv
import sys
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from analysis.plots.pareto import draw_pareto
from analysis.plots.style import save
from analysis.questions.knee import knee_of
from analysis.runs.networks import by_network
from analysis.runs.run import Run, RunError, read_run
from analysis.runs.tables import of_one_kind
from res2net.exit_codes import PLAIN, ExitCode, exit_code_help
from res2net.file_names import path_argument
from res2net.terminal import run_command
from search.schema.files import in_words, replace_text
from search.study.journal import JournalError


def main(argv: Sequence[str]) -> int:
    """Summarise the given runs; return 0, or 2 where one is not a run or cannot be read."""
    return run_command(lambda: _main(argv), prints=False)


def _main(argv: Sequence[str]) -> int:
    for folder in _parser().parse_args(argv).runs:
        try:
            written = summarise(folder)
        except (JournalError, RunError) as error:
            print(error, file=sys.stderr)
            return ExitCode.BAD_INPUT
        except OSError as error:
            print(in_words(error), file=sys.stderr)
            return ExitCode.FAILED
        for label, path in written.items():
            print(f"{label}: {path}")
    return ExitCode.DONE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python -m analysis.summary",
        description=__doc__,
        epilog=exit_code_help(PLAIN),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "runs", nargs="+", type=path_argument, metavar="RUN", help="folders of runs"
    )
    return parser


def summarise(folder: Path) -> dict[str, Path]:
    """Write the tables and the figure of a run; return the written paths by kind.

    Raises:
        RunError: the folder holds no run.
        JournalError: its journal cannot be read.
    """
    run = read_run(folder)
    figure = draw_pareto(by_network(run), run.compared, title=_title(run), knee=knee_of(run))
    paths = {
        "figure": save(figure, folder / "figures" / "pareto")[0],
        "trials": folder / "trials.csv",
        "epochs": folder / "epochs.csv",
    }
    replace_text(paths["trials"], as_csv(of_one_kind(run.trials)))
    replace_text(paths["epochs"], as_csv(run.epochs))
    return paths


def as_csv(frame: pd.DataFrame) -> str:
    """Write a table as CSV with text unchanged, even where it begins with =: this is data.

    A reader takes quoted text as it is, but an unquoted carriage return as the end of a row,
    and pandas does not quote text because of a carriage return alone.
    """
    texts = frame.select_dtypes(exclude="number")
    returns = any("\r" in str(value) for column in texts for value in texts[column])
    return frame.to_csv(
        index=False, quoting=csv.QUOTE_NONNUMERIC if returns else csv.QUOTE_MINIMAL
    )


def _title(run: Run) -> str:
    """The study, its data, epochs and outcomes of its trials."""
    counts = run.trials[run.trials["phase"] == "search"]["status"].value_counts()
    outcomes = ", ".join(f"{count} {status}" for status, count in counts.items())
    return (
        f"{run.name}: Res2Net family on {run.plan.data.name}, "
        f"{run.lengths} a trial ({outcomes})"
    )


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
