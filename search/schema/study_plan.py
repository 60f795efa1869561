"""The plan of a study: a space file with every word resolved to a number. No torch here.

A study, its workers and its readers get it, and the manifest holds it. Trials are counted here
and nowhere else.
"""

import math
from collections.abc import Iterator, Sequence
from typing import Self

from pydantic import Field, PositiveInt

from search.schema.analysis import Analysis
from search.schema.budget import Budget
from search.schema.data import PlannedData
from search.schema.execution import PlannedExecution, ReplayedTable
from search.schema.fidelity import Fidelity
from search.schema.keeping import Confirm, Keep
from search.schema.metrics import MEASURED, SCORES, Metric, Objective, objectives_of
from search.schema.network import Network
from search.schema.parts import Choice
from search.schema.resources import Resources
from search.schema.search import PlannedSearch
from search.schema.section import Section
from search.schema.settings import PlannedRule
from search.schema.space_file import Scheduler, Task
from search.schema.tasks import TASKS
from search.schema.training import ChosenPrecision, PlannedTraining, Precision
from search.schema.transfer import PlannedTransfer
from search.schema.zero_cost import ZeroCost

_EXTENDED = ("trials", "seeds", "per_band")  # keys of search that only grow in a run


class PlannedResources(Resources):
    """What one trial takes, in numbers."""

    gpu: float


class StudyPlan(Section):
    """A study, fully decided.

    `varied` are settings of the training with several values; `lr_rule` gives each network its
    own learning rate; a trial's own settings override `training`. `chosen` records how the
    precision was chosen, where the file says auto. `candidates` is the number of distinct
    networks, with their settings, inside the budget.
    """

    study: str
    network: Network
    budget: Budget
    data: PlannedData
    task: Task = Choice(name="classification")
    training: PlannedTraining
    chosen: ChosenPrecision | None = None
    transfer: PlannedTransfer | None = None
    varied: dict[str, tuple[float, ...]] = Field(default_factory=dict)
    lr_rule: PlannedRule | None = None
    search: PlannedSearch
    scheduler: Scheduler = Choice(name="fifo")
    zero_cost: ZeroCost | None = None
    fidelity: Fidelity | None = None
    confirm: Confirm | None = None
    analysis: Analysis = Analysis()
    keep: Keep = Keep()
    checkpoints: str | None = None
    resources: PlannedResources
    execution: PlannedExecution = PlannedExecution()
    trackers: tuple[str, ...] = ()
    candidates: PositiveInt

    @property
    def settings(self) -> tuple[str, ...]:
        """The settings in which trials differ, besides network and length."""
        several = len(self.network.resolution or ()) > 1
        names = ["resolution"] * several + [key for key in self.varied if key != "epochs"]
        return (*names, *(["lr"] if self.lr_rule else []))

    @property
    def images(self) -> tuple[PlannedData, ...]:
        """The images at each resolution that a network may see."""
        return tuple(map(self.data.at, self.network.resolution or (self.data.resolution,)))

    def at(self, resolution: float) -> Self:
        """The same study with images of another resolution."""
        return self.model_copy(update={"data": self.data.at(int(resolution))})

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The metrics that trials report, without the split."""
        return TASKS[self.task.name].metrics

    @property
    def objectives(self) -> tuple[Objective, ...]:
        """The objectives by which networks are compared."""
        return objectives_of(self.search.objectives, self.metrics)

    @property
    def ranking(self) -> Objective:
        """The objective that ranks networks: the first that trials report."""
        return next(one for one in self.objectives if one.source == "reported")

    @property
    def measured(self) -> tuple[Objective, ...]:
        """What is measured of each network before its training, including scores."""
        return (*self.timed, *(SCORES[name] for name in self.scores))

    @property
    def scores(self) -> tuple[str, ...]:
        """Scores that are computed for each network, by name."""
        return self.zero_cost.scores if self.zero_cost else ()

    @property
    def rejects(self) -> bool:
        """Whether a measurement of a network may end its first trial before it trains."""
        keep = self.zero_cost.keep if self.zero_cost else None
        return keep is not None or bool(self.budget.measured())

    @property
    def rejected_as(self) -> str:
        """Why networks are rejected, in words, such as: measured outside the budget."""
        words = {"measured outside the budget": bool(self.budget.measured())}
        if self.zero_cost and self.zero_cost.keep is not None:
            words[f"not among the best by {self.zero_cost.by}"] = True
        return " or ".join(word for word, said in words.items() if said)

    @property
    def timed(self) -> tuple[Objective, ...]:
        """What objectives or budget need measured of each network before its training."""
        asked = {*self.search.objectives}  # by name: a foreign part may no longer exist
        asked |= {limits.objective.name for limits in self.budget.measured()}
        return tuple(one for name, one in MEASURED.items() if name in asked)

    @property
    def tries(self) -> int:
        """Trials of each network with its first seed: several where settings are tuned."""
        tune = self.search.tune
        if tune is None:
            return 1
        if tune.trials != "all":
            return tune.trials
        return math.prod(len(self.varied[key]) for key in tune.keys)

    @property
    def first_trials(self) -> int:
        """Trials with the first seed, which schedulers look at: every try of each network."""
        return self.search.trials * self.tries

    def search_trials(self, pruned: int = 0) -> int:
        """Trials of the search: every network with every try and every other seed.

        Args:
            pruned: networks that were stopped early or rejected at their first seed; they get
                no other seeds.
        """
        search = self.search
        return search.trials * (self.tries + search.seeds - 1) - pruned * (search.seeds - 1)

    @property
    def confirmed(self) -> int:
        """Number of networks to confirm, if as many are trained completely."""
        return min(self.confirm.top, self.search.trials) if self.confirm else 0

    @property
    def confirm_trials(self) -> int:
        """Trials of the confirmation, if enough networks are trained completely."""
        return self.confirmed * self.confirm.seeds if self.confirm else 0

    def epochs(self, phase: str) -> int:
        """Epochs of a trial of a phase: "search" or "confirm"."""
        if phase == "confirm" and self.confirm:
            return self.confirm.epochs
        return self.training.epochs

    @property
    def phases(self) -> tuple[tuple[int, int], ...]:
        """Trials and epochs of each phase, at most."""
        search = (self.search_trials(), self.epochs("search"))
        confirm = (self.confirm_trials, self.epochs("confirm"))
        return (search, confirm) if self.confirm else (search,)

    def with_gpu(self, share: float) -> Self:
        """The same study with this share of a GPU for each trial."""
        resources = self.resources.model_copy(update={"gpu": share})
        return self.model_copy(update={"resources": resources})

    def with_precision(self, name: Precision, chosen: ChosenPrecision | None) -> Self:
        """The same study in another number format, with the measurements that chose it."""
        training = self.training.model_copy(update={"precision": name})
        return self.model_copy(update={"training": training, "chosen": chosen})

    def with_tables(self, tables: Sequence[ReplayedTable]) -> Self:
        """The same study, with what is known about the results that it replays."""
        execution = self.execution.model_copy(update={"tables": tuple(tables)})
        return self.model_copy(update={"execution": execution})

    def kept_from(self, before: "StudyPlan") -> Iterator[str]:
        """A line for each number of networks or seeds that is below the study's before."""
        for key in _EXTENDED:
            asked, had = getattr(self.search, key), getattr(before.search, key)
            if None not in (asked, had) and asked < had:
                yield f"search.{key}: the study already has {had}, which stay; {asked} is fewer"

    def extended(self, before: "StudyPlan") -> Self:
        """The same study with at least as many networks and seeds as it had before."""
        pairs = {
            key: (getattr(self.search, key), getattr(before.search, key)) for key in _EXTENDED
        }
        most = {key: max(pair) for key, pair in pairs.items() if None not in pair}
        search = self.search.model_copy(update=most)
        transfer = self.transfer and self.transfer.extended(before.transfer)
        chosen = self.chosen or before.chosen
        own = {"search": search, "transfer": transfer, "chosen": chosen}
        return self.model_copy(update=own)
