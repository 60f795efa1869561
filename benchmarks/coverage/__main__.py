"""Counts how often intervals hold the truth and reports claim what is not there.

    python -m benchmarks.coverage [--studies 1000] [--only planned] [--out FILE]

Every interval, test and sentence that the analysis prints is tested on simulated studies with a
known truth (`benchmarks/coverage/*.py`). The share of studies in which it was right is printed
with its own 95 % interval (Wilson), which is wide for few studies. Slow cases are simulated
fewer times: a line takes at most --seconds.
"""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path

import numpy as np
import torch
from scipy import stats
from threadpoolctl import threadpool_limits

from benchmarks.machine import machine

_HERE = Path(__file__).parent
Simulation = Callable[[np.random.Generator], bool]


def main(argv: Sequence[str]) -> int:
    """Simulate, print the table, and write it if requested; return 0."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--studies", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=60, help="of a line, at most")
    parser.add_argument("--only", help="of these topics: planned, reader, ...")
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args(argv)
    lines = [
        machine(torch.device("cpu"), "numpy", "scipy", "scikit-learn"),
        "",
        "| topic | what | wanted | right | 95 % interval | studies |",
        "|---|---|--:|--:|--:|--:|",
    ]
    print(*lines, sep="\n")
    with threadpool_limits(1, user_api="blas"):
        for topic in sorted(path.stem for path in _HERE.glob("[!_]*.py")):
            if arguments.only in (None, topic):
                for what, simulation in simulations(topic).items():
                    row = measured(simulation, arguments.studies, arguments.seconds)
                    lines.append(f"| {topic} | {what} | {wanted(what)} | {row} |")
                    print(lines[-1], flush=True)
    if arguments.out:
        arguments.out.write_text("\n".join([*lines, ""]), encoding="utf-8")
    return 0


def simulations(topic: str) -> dict[str, Simulation]:
    """The simulations in a file of this folder: of intervals, and of power."""
    module = import_module(f"benchmarks.coverage.{topic}")
    found: dict[str, Simulation] = dict(getattr(module, "SIMULATIONS", {}))
    power: dict[str, Simulation] = getattr(module, "FOUND", {})
    return found | {f"found (80 % wanted): {name}": one for name, one in power.items()}


def wanted(what: str) -> str:
    """The share in which it should be right; conservative methods have a higher share."""
    if what.startswith("found"):
        return "80 %"
    at_least = ("claims nothing", "every look", "looks", "not called", "shrunken", "set of")
    if what.startswith("forecast"):
        return "90 %"
    return "95 % or more" if any(word in what for word in at_least) else "95 %"


def measured(simulation: Simulation, studies: int, seconds: float) -> str:
    """The share of studies in which it was right, its interval, and the number of studies."""
    rng, start = np.random.default_rng(0), time.monotonic()
    right = count = 0
    while count < studies and time.monotonic() - start < seconds:
        right += bool(simulation(rng))
        count += 1
    ends = stats.binomtest(right, count).proportion_ci(0.95, method="wilson")
    return f"{right / count:.1%} | {ends.low:.1%} to {ends.high:.1%} | {count:,}"


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
