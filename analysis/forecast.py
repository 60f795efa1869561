"""Forecasts a budget that was not run: python -m analysis.forecast RUN RUN RUN --macs 120M.

Forecasts the error and the dimensions of the best network at that budget, with 90 % intervals.
If one of the runs has that budget, the forecast is made from the smaller ones and compared with
its result.
"""

import argparse
import json
import sys
from collections.abc import Sequence

import numpy as np
import pandas as pd

from analysis.cards.forecast import sentence
from analysis.questions.forecast import budgets, forecasts, uneven
from analysis.runs.finding import read_runs
from analysis.runs.run import RunError
from analysis.runs.scores import words
from analysis.scaling.points import Refusal
from res2net.exit_codes import PLAIN, ExitCode, exit_code_help
from res2net.file_names import path_argument
from res2net.terminal import run_command
from search.schema.files import in_words
from search.schema.values import parse_amount
from search.study.journal import JournalError


def main(argv: Sequence[str]) -> int:
    """Print the forecast; return 0, or 2 for runs that cannot be read or forecast from."""
    return run_command(lambda: _main(argv))


def _main(argv: Sequence[str]) -> int:
    arguments = _parser().parse_args(argv)
    try:
        runs = read_runs(arguments.runs)
        table = forecasts(runs, macs=arguments.macs, rng=np.random.default_rng(0))
    except (RunError, JournalError, Refusal) as error:
        print(error, file=sys.stderr)
        return ExitCode.BAD_INPUT
    except OSError as error:
        print(in_words(error), file=sys.stderr)
        return ExitCode.FAILED
    rows = table.to_dict("records")
    if arguments.json:
        known = [
            {str(key): None if pd.isna(value) else value for key, value in row.items()}
            for row in rows
        ]
        print(json.dumps(known))
    else:
        said = (sentence(row, words(runs[0].ranking)) for row in rows)
        print(*said, *uneven(budgets(runs)), sep="\n")
    return ExitCode.DONE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python -m analysis.forecast",
        description=(__doc__ or "").splitlines()[0],
        epilog=exit_code_help(PLAIN),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "runs",
        nargs="+",
        type=path_argument,
        metavar="RUN",
        help="folders of runs, three or more",
    )
    parser.add_argument(
        "--macs",
        type=_amount,
        metavar="MACS",
        help="multiply-adds to forecast, such as 120M; default: twice the largest that was run",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON list")
    return parser


def _amount(text: str) -> float:
    try:
        found = parse_amount(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text} {error}") from error
    assert found is not None, "it is text"
    return float(found)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
