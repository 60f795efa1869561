"""Says whether network A is better than B: python -m analysis.verdict RUN A B [--json].

Judges on the validation images, over the seeds that both ran. The interval is valid at every
look, so one may ask after each seed. In Python: `from analysis.verdict import verdict`. The
test images stay sealed; --unseal-test opens them, and RUN/unsealed.json records when and for
which networks.
"""

import argparse
import contextlib
import json
import math
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from analysis.questions.verdict import Verdict, bounds, by_seed, judged
from analysis.runs.run import Run, RunError, read_run
from analysis.runs.scores import Score
from res2net.exit_codes import PLAIN, ExitCode, exit_code_help
from res2net.file_names import path_argument
from res2net.terminal import run_command
from search.schema.files import in_words, replace_text
from search.study.journal import JournalError

UNSEALED = "unsealed.json"


def verdict(
    run: Run | Path | str, a: str, b: str, *, margin: float | None = None, level: float = 0.95
) -> Verdict:
    """Judge whether network A of a run is better than network B, on the validation images.

    Args:
        run: a run, or the folder of one.
        a: name of a network in the run.
        b: name of another network in the run.
        margin: difference below which they count as the same; None takes the run's margin.
        level: confidence level of the interval, which is valid at every look.

    Raises:
        RunError: there is no run, or no such network in it.
        JournalError: its journal cannot be read.
    """
    read = run if isinstance(run, Run) else read_run(Path(run))
    return judged(read, a, b, margin=margin, level=level)


def main(argv: Sequence[str]) -> int:
    """Print the verdict; return 0, or 2 for an unreadable run or an unknown network."""
    return run_command(lambda: _main(argv))


def _main(argv: Sequence[str]) -> int:
    arguments = _parser().parse_args(argv)
    try:
        run = read_run(arguments.run)
        found = verdict(run, arguments.a, arguments.b, margin=arguments.margin)
        test = _unsealed(run, found) if arguments.unseal_test else None
    except (RunError, JournalError) as error:
        print(error, file=sys.stderr)
        return ExitCode.BAD_INPUT
    except OSError as error:
        print(in_words(error), file=sys.stderr)
        return ExitCode.FAILED
    if arguments.json:
        print(json.dumps(asdict(found) | {"test": test}))
    else:
        print(*_lines(found, test, run.score), sep="\n")
    return ExitCode.DONE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python -m analysis.verdict",
        description=(__doc__ or "").splitlines()[0],
        epilog=exit_code_help(PLAIN),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("run", type=path_argument, metavar="RUN", help="folder of a run")
    parser.add_argument("a", metavar="A", help="name of a network of the run")
    parser.add_argument("b", metavar="B", help="name of another network of it")
    parser.add_argument(
        "--margin",
        type=_margin,
        metavar="POINTS",
        help="difference below which they count as equal; default: analysis.margin",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument(
        "--unseal-test",
        action="store_true",
        help=f"show the difference on the test images too; RUN/{UNSEALED} records when",
    )
    return parser


def _margin(text: str) -> float:
    with contextlib.suppress(ValueError):
        if 0 < float(text) < math.inf:
            return float(text)
    raise argparse.ArgumentTypeError(f"{text} is not a number above 0; give one such as 0.5")


def _lines(found: Verdict, test: dict[str, Any] | None, score: Score) -> list[str]:
    a, b = found.networks
    lines = [f"{found.verdict}: {a} against {b}, by {found.metric}", f"  {found.reason}"]
    if test is None:
        return lines
    for before in test["unsealed_before"]:
        seen = " and ".join(before["networks"])
        lines.append(f"  the test images were opened before: {before['time']}, for {seen}")
    if test["difference"] is None:
        return [*lines, "  test images: no shared seeds with a score"]
    difference, ends = score.signed(test["difference"]), ""
    if test["low"] is not None:
        ends = f" ({score.signed(test['low'])} to {score.signed(test['high'])})"
    return [*lines, f"  on the test images the difference is {difference}{ends}"]


def _unsealed(run: Run, found: Verdict) -> dict[str, Any]:
    """The difference on the test images, given only after recording that they were opened."""
    path = run.folder / UNSEALED
    before = _opened(path)
    now = {"time": time.strftime("%Y-%m-%dT%H:%M:%S%z"), "networks": list(found.networks)}
    lines = ",\n".join(json.dumps(each) for each in (*before, now))
    replace_text(path, f"[\n{lines}\n]\n")
    scores = by_seed(run, found.networks, run.tested)
    none = {"difference": None, "low": None, "high": None}
    if scores.shape[1] == 0:
        return none | {"unsealed_before": before}
    test = bounds(scores, level=found.level)
    known = math.isfinite(test.low)
    return {
        "difference": test.difference,
        "low": test.low if known else None,
        "high": test.high if known else None,
        "unsealed_before": before,
    }


def _opened(path: Path) -> list[dict[str, Any]]:
    """When and for which networks the test images were opened before."""
    if not path.exists():
        return []
    try:
        held: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
        assert all({"time", "networks"} <= each.keys() for each in held)
    except (ValueError, AssertionError, AttributeError, TypeError) as error:
        raise RunError(
            f"{path}: is damaged, but it says whether the test images were opened; restore it "
            "from a copy"
        ) from error
    return held


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
