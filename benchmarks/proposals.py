"""Times a proposal after many finished trials, ours and that of Optuna's own sampler.

python -m benchmarks.proposals [--trials 100 1000 10000] [--turns 5]

Both sides know the same number of finished trials: ours proposes a candidate inside the budget,
Optuna's a point of the box around them (`study.ask`), which may lie outside. "ours adds" is the
time beyond the draw of Optuna's sampler inside ours; it is measured in the same proposal, so
that the machine's noise is in both. Optuna's CMA-ES and NSGA-II store attributes on the trials
that they drew; the bare ones get trials without any, and so have less to do.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import torch

from benchmarks.machine import machine
from search.samplers.base import Outcome, Sampler, make_sampler
from search.samplers.drawn import Drawn
from search.schema.parts import Choice
from search.space.load import load_space
from search.space.resolve import resolve
from search.space.survey import Survey

SPACE = Path("spaces/cifar_budget.yaml")
OURS = (
    "random",
    "qmc",
    "stratified",
    "grid",
    "evolution",
    "local",
    "tpe",
    "cmaes",
    "nsga2",
    "gp",
)
BARE: dict[str, Callable[[], optuna.samplers.BaseSampler]] = {
    "random": lambda: optuna.samplers.RandomSampler(seed=0),
    "tpe": lambda: optuna.samplers.TPESampler(seed=0, multivariate=True, n_startup_trials=0),
    "cmaes": lambda: optuna.samplers.CmaEsSampler(seed=0),
    "nsga2": lambda: optuna.samplers.NSGAIISampler(seed=0, population_size=20),
    "gp": lambda: optuna.samplers.GPSampler(seed=0, n_startup_trials=0),
}
# Everything in the space and more cardinalities, to have more than 10,000 candidates.
WHOLE = ("budget.macs={max: 1T}", "network.cardinality={from: 1, to: 12}")
_MOST_GP = 100  # finished trials; more would take minutes


def milliseconds(call: Callable[[], object]) -> float:
    """Time a call."""
    began = time.perf_counter()
    call()
    return 1000 * (time.perf_counter() - began)


def told(sampler: Sampler, survey: Survey, trials: int) -> None:
    """Tell a sampler this many finished trials, drawn uniformly."""
    rng = np.random.default_rng(0)
    for candidate in rng.permutation(len(survey))[:trials].tolist():
        sampler.take(candidate)
        sampler.tell(candidate, Outcome("complete", (float(rng.normal()),), 1))


def ours(sampler: Sampler, trials: int, turns: int) -> tuple[float, float]:
    """Median milliseconds of a proposal, and of its part beyond the draw inside it."""
    whole: list[float] = []
    added: list[float] = []
    draws: list[float] = []
    sampler.propose(trials)  # passes on all told trials, only once
    if isinstance(sampler, Drawn):
        ask = sampler._study.ask

        def timed(*arguments: Any) -> optuna.Trial:
            began = time.perf_counter()
            trial = ask(*arguments)
            draws.append(1000 * (time.perf_counter() - began))
            return trial

        sampler._study.ask = timed  # type: ignore[method-assign]
    for _ in range(turns):
        draws.clear()
        if isinstance(sampler, Drawn):
            sampler._drawn = None  # otherwise each trial draws only once
        whole.append(milliseconds(lambda: sampler.propose(trials)))
        added.append(whole[-1] - sum(draws))
    return statistics.median(whole), statistics.median(added)


def bare(name: str, survey: Survey, trials: int, turns: int) -> float | None:
    """Milliseconds of `study.ask` after this many trials; None without an Optuna sampler."""
    if name not in BARE:
        return None
    study = optuna.create_study(sampler=BARE[name]())
    spread = {
        each.name: optuna.distributions.IntDistribution(0, len(each.values) - 1)
        for each in survey.dimensions
        if len(each.values) > 1
    }
    rng = np.random.default_rng(0)
    for _ in range(trials):
        params = {key: int(rng.integers(each.high + 1)) for key, each in spread.items()}
        study.add_trial(
            optuna.trial.create_trial(
                params=params, distributions=dict(spread), value=float(rng.normal())
            )
        )
    study.ask(dict(spread))
    return statistics.median(
        milliseconds(lambda: study.ask(dict(spread))) for _ in range(turns)
    )


def main(argv: Sequence[str]) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser("python -m benchmarks.proposals")
    parser.add_argument("--trials", type=int, nargs="*", default=[100, 1000, 10_000])
    parser.add_argument("--turns", type=int, default=5)
    arguments = parser.parse_args(argv)
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    plan, survey = resolve(*load_space(SPACE, WHOLE), unseen=True)
    print(machine(torch.device("cpu"), "optuna", "numpy"))
    print(f"{len(survey):,} candidates; medians of {arguments.turns} proposals, in ms")
    print("| sampler | finished trials | ours | ours adds | bare Optuna |")
    print("|---|---|---|---|---|")
    for name in OURS:
        for trials in arguments.trials:
            if trials >= len(survey) or (name == "gp" and trials > _MOST_GP):
                continue
            sampler = make_sampler(
                Choice(name=name), survey, seed=0, objectives=plan.objectives
            )
            told(sampler, survey, trials)
            whole, added = ours(sampler, trials, arguments.turns)
            alone = bare(name, survey, trials, arguments.turns)
            shown = "" if alone is None else f"{alone:.2f}"
            print(f"| {name} | {trials:,} | {whole:.2f} | {added:.2f} | {shown} |", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
