"""Writes a report one can cite: python -m analysis.report RUN [RUN ...] [--out FILE].

For one run, the report shows its question, conclusion, figures, every trial, failures, cost and
how it was made; for several, what differs between them and how far they agree. It is one
self-contained HTML file; `--format markdown` and `latex` print the table of networks instead.
--paper FOLDER writes the figures of one run as PDF in the column widths of a paper, with
captions.txt.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from analysis.pages import page
from analysis.pages.compare_page import compare_page, comparison_table
from analysis.pages.exports import latex, markdown
from analysis.pages.page import Table
from analysis.pages.paper import CAPTIONS, write_paper
from analysis.pages.run_figures import networks_table
from analysis.pages.run_page import run_page
from analysis.plots.picture import SUFFIXES
from analysis.runs.finding import read_runs
from analysis.runs.run import Run, RunError, read_run
from res2net.exit_codes import PLAIN, ExitCode, exit_code_help
from res2net.file_names import path_argument
from res2net.terminal import run_command
from search.schema.files import in_words, replace_text
from search.study.journal import JournalError

_SUFFIX = {"html": ".html", "markdown": ".md", "latex": ".tex"}
_TEXTS: dict[str, Callable[[Table], str]] = {"markdown": markdown, "latex": latex}


def main(argv: Sequence[str]) -> int:
    """Write the report of the runs; return 0, 1 for files that fail, or 2 for bad input."""
    texts = any(f"--{name}" in argv or name in argv for name in _TEXTS)
    return run_command(lambda: _main(argv), prints=texts)


def _main(argv: Sequence[str]) -> int:
    arguments = _parser().parse_args(argv)
    if arguments.paper is not None:
        return _paper(arguments)
    try:
        out = _out(arguments)
        runs = read_runs(arguments.runs)
        text = _text(runs, arguments.format)
    except (RunError, JournalError) as error:
        print(error, file=sys.stderr)
        return ExitCode.BAD_INPUT
    except OSError as error:
        print(in_words(error), file=sys.stderr)
        return ExitCode.FAILED
    if arguments.format != "html":  # an HTML page starts with the banners
        for run in (run for run in runs if run.banner()):
            print(f"{run.folder}: {run.banner()}", file=sys.stderr)
    if out is None:
        print(text, end="")
        return ExitCode.DONE
    try:
        replace_text(out, text)
    except OSError as error:
        print(in_words(error), file=sys.stderr)
        return ExitCode.FAILED
    print(f"report: {out}")
    return ExitCode.DONE


def _paper(arguments: argparse.Namespace) -> int:
    """Write the figures of one run for use in a paper."""
    folder: Path = arguments.paper
    try:
        if len(arguments.runs) > 1 or arguments.out or arguments.format != "html":
            raise RunError(
                f"--paper {folder}: takes one run and writes a folder; leave out other runs, "
                "--out and --format"
            )
        if folder.exists() and not folder.is_dir():
            raise RunError(f"--paper {folder}: is a file; give a folder, which will be made")
        written = write_paper(read_run(arguments.runs[0]), folder)
    except (RunError, JournalError) as error:
        print(error, file=sys.stderr)
        return ExitCode.BAD_INPUT
    except OSError as error:
        print(f"{in_words(error)} (--paper {folder})", file=sys.stderr)
        return ExitCode.FAILED
    print(f"paper: {len(written) - 1} figures and {CAPTIONS} in {folder}")
    return ExitCode.DONE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python -m analysis.report",
        description=(__doc__ or "").splitlines()[0],
        epilog=exit_code_help(PLAIN),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "runs", nargs="+", type=path_argument, metavar="RUN", help="folder of a run"
    )
    parser.add_argument(
        "--out",
        type=path_argument,
        metavar="FILE",
        help="default: RUN/report.html, for several runs comparison.html; other formats are "
        "printed",
    )
    parser.add_argument(
        "--paper",
        type=path_argument,
        metavar="FOLDER",
        help="write the figures of one run as PDF, 3.25 or 6.75 inches wide, text in 8 points",
    )
    parser.add_argument("--format", choices=("html", *_TEXTS), default="html")
    for name in _TEXTS:
        parser.add_argument(
            f"--{name}", dest="format", action="store_const", const=name,
            help=f"the same as --format {name}",
        )  # fmt: skip
    return parser


def _out(arguments: argparse.Namespace) -> Path | None:
    """The file to write; None for the terminal."""
    out: Path | None = arguments.out
    if out is None:
        if arguments.format != "html":
            return None
        alone = len(arguments.runs) == 1
        return arguments.runs[0] / "report.html" if alone else Path("comparison.html")
    if out.is_dir():
        raise RunError(
            f"--out {out}: is a folder; give a file in it, such as {out}/report.html"
        )
    if out.suffix.lower() in SUFFIXES:
        raise RunError(
            f"--out {out}: has the suffix of a picture or PDF, but this is {arguments.format}; "
            f"give a file such as {out.with_suffix(_SUFFIX[arguments.format])}"
            + (", which a browser prints as PDF" if arguments.format == "html" else "")
        )
    if not out.parent.is_dir():
        raise RunError(f"--out {out}: there is no folder {out.parent}; make it first")
    return out


def _text(runs: Sequence[Run], form: str) -> str:
    alone = len(runs) == 1
    if form == "html":
        return page.render(run_page(runs[0]) if alone else compare_page(runs))
    return _TEXTS[form](networks_table(runs[0]) if alone else comparison_table(runs))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
