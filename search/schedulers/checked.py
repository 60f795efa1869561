"""A scheduler that is believed only where early epochs rank networks as the last one does.

The first networks run to their end. Then only rungs whose ranks agree well enough with those at
the end may stop trials. All of this is a function of the reports.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from res2net.plugins import PluginError
from search.design.agreement import Agreement, agreement
from search.schedulers.base import Decision, Scheduler, make_scheduler, rungs_of
from search.schedulers.ranks import Ranks, row_of
from search.schedulers.simulated import best_lost
from search.schema.fidelity import Fidelity
from search.schema.metrics import Objective
from search.schema.study_plan import StudyPlan

_DRAWS = 50  # number of simulated searches


class Findings(NamedTuple):
    """What the first networks show about a scheduler.

    Attributes:
        networks: number of networks that were trained completely for it.
        rungs: how well the ranks at each epoch agree with those at the end.
        believed: epochs at which trials may be stopped.
        lost: how often the scheduler alone would have lost the best of them, as a share of
            simulated searches; a function, as it may take seconds.
    """

    networks: int
    rungs: dict[int, Agreement]
    believed: tuple[int, ...]
    lost: Callable[[], float]


class Checked:
    """Lets the first networks run to their end, then follows a scheduler where it is believed.

    Args:
        make: makes the scheduler for a number of trials; it has `rungs`.
        trials: number of first trials of networks, including all tries.
        epochs: length of a complete trial.
        objectives: objectives by which trials are compared.
        fidelity: how many networks run to their end, and the agreement that is enough.
        seed: seed of the study.

    Attributes:
        findings: None until the first networks have finished.
    """

    def __init__(
        self,
        make: Callable[[int], Scheduler],
        *,
        trials: int,
        epochs: int,
        objectives: Sequence[Objective],
        fidelity: Fidelity,
        seed: int,
    ) -> None:
        self._make, self._scheduler = make, make(trials)
        self._rungs = rungs_of(self._scheduler) or ()
        self._epochs, self._objectives = epochs, objectives
        self._fidelity, self._seed = fidelity, seed
        self.findings: Findings | None = None
        self._seen: set[int] = set()
        self._curves: dict[int, list[dict[str, float]]] = {}  # of the networks that are checked

    def report(self, trial: int, epoch: int, metrics: Mapping[str, float]) -> Decision:
        """Ask the scheduler; the trial continues where it is not believed."""
        if trial not in self._seen:
            self._seen.add(trial)
            if len(self._curves) < self._fidelity.check:
                self._curves[trial] = []
        checked = trial in self._curves
        if checked:
            self._curves[trial].append(dict(metrics))
        decision = self._scheduler.report(trial, epoch, metrics)
        if checked and epoch == self._epochs:
            self._look()
        believed = self.findings is not None and epoch in self.findings.believed
        if believed and not checked:
            return decision
        if decision is Decision.PAUSE:
            self._scheduler.resumed(trial)
        return Decision.CONTINUE

    def ended(self, trial: int) -> None:
        """Note an end; a checked network that ended early is replaced by the next one."""
        if self.findings is None and len(self._curves.get(trial, ())) < self._epochs:
            self._curves.pop(trial, None)
        self._scheduler.ended(trial)

    def resume(self) -> int | None:
        """The scheduler's answer."""
        return self._scheduler.resume()

    def resumed(self, trial: int) -> None:
        """Tell the scheduler."""
        self._scheduler.resumed(trial)

    def _look(self) -> None:
        """Compare the ranks at each rung with those at the end, once all have ended."""
        curves = list(self._curves.values())
        whole = all(len(curve) == self._epochs for curve in curves)
        if not whole or len(curves) < self._fidelity.check:
            return
        late = self._places(self._epochs)
        rungs = {
            rung: agreement(self._places(rung), late, seed=self._seed)
            for rung in self._rungs
            if rung < self._epochs
        }
        believed = [rung for rung, one in rungs.items() if one.low >= self._fidelity.at_least]
        self.findings = Findings(len(curves), rungs, tuple(believed), self._lost)

    def _places(self, epoch: int) -> npt.NDArray[np.float64]:
        """The rank of each network after this many epochs: lower is better."""
        rows = [row_of(self._objectives, curve[epoch - 1]) for curve in self._curves.values()]
        if len(self._objectives) == 1:
            return np.array(rows)[:, 0]
        ranks = Ranks(len(self._objectives))
        for row in rows:
            ranks.add(row)
        return np.argsort(ranks.best_first()).astype(float)

    def _lost(self) -> float:
        reported = next(one for one in self._objectives if one.source == "reported")
        return best_lost(
            self._make,
            list(self._curves.values()),
            lambda metrics: reported.loss(metrics[reported.name]),
            draws=_DRAWS,
            seed=self._seed,
        )


def scheduler_of(plan: StudyPlan) -> Scheduler:
    """Make the scheduler of a study, checked where the study asks for it.

    Raises:
        PluginError: a foreign one cannot be made, or is to be checked but gives no rungs.
    """
    objectives, epochs = plan.objectives, plan.training.epochs

    def make(trials: int) -> Scheduler:
        return make_scheduler(
            plan.scheduler, epochs=epochs, trials=trials, objectives=objectives
        )

    scheduler = make(plan.first_trials)
    if plan.fidelity is None:
        return scheduler
    if rungs_of(scheduler) is None:
        raise PluginError(
            f"{plan.scheduler.name}: has no rungs, but fidelity needs them; add an "
            "attribute rungs, the epochs after which it may stop trials"
        )
    return Checked(
        make,
        trials=plan.first_trials,
        epochs=epochs,
        objectives=objectives,
        fidelity=plan.fidelity,
        seed=plan.search.seed,
    )
