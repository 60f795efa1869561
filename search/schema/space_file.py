"""The space file's schema: read strictly, every mistake reported with its place and remedy.

A `SpaceFile` is what the user wrote, with every default filled in; `auto`, `all` and `fill`
are still words. `search.space.resolve` makes a `StudyPlan` of it. No torch here.
"""

from typing import Annotated, Self

from pydantic import BeforeValidator, Field, model_validator

from search.schema.analysis import Analysis
from search.schema.budget import Budget
from search.schema.data import Data
from search.schema.execution import Execution, execution_from
from search.schema.fidelity import Fidelity, check_fidelity
from search.schema.keeping import Confirm, Keep
from search.schema.measuring import check_measured
from search.schema.metrics import COUNTED, MEASURED, Objective, objectives_of
from search.schema.network import Network
from search.schema.parts import Choice, choice_from
from search.schema.resources import Resources, checkpoint_place
from search.schema.samplers import SAMPLERS
from search.schema.schedulers import SCHEDULERS, check_scheduler, scheduler_traits
from search.schema.search import Search
from search.schema.section import Section
from search.schema.task_checks import check_model, check_task
from search.schema.tasks import TASKS, check_annotations
from search.schema.trackers import tracker_names
from search.schema.training import Training
from search.schema.transfer import Transfer, check_transfer
from search.schema.values import MisfitError
from search.schema.varying import check_known, check_varying
from search.schema.zero_cost import ZeroCost, check_scores, check_zero_cost

Scheduler = Annotated[Choice, BeforeValidator(choice_from(SCHEDULERS))]
Task = Annotated[Choice, BeforeValidator(choice_from(TASKS))]


class SpaceFile(Section):
    """A whole space file."""

    study: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    """Name of the study and of its folder, `runs/<study>`: letters, digits, `.`, `_` and `-`.
    """
    network: Network
    """Which networks are candidates."""
    budget: Budget = Budget()
    """What a network may cost."""
    data: Data
    """Which images."""
    task: Task = Choice(name="classification")
    """What is learned, and how it is scored."""
    training: Training
    """How every trial trains."""
    transfer: Transfer | None = None
    """Trained weights that backbones start from; left out, they are drawn from the seed."""
    search: Search
    """Which candidates are tried, and how many."""
    scheduler: Scheduler = Choice(name="fifo")
    """Which trials end before their last epoch."""
    zero_cost: ZeroCost | None = None
    """Scores of untrained networks; left out, networks are not scored."""
    fidelity: Fidelity | None = None
    """A check whether early epochs may be believed; left out, the scheduler is believed."""
    confirm: Confirm | None = None
    """Retraining of the best networks with fresh seeds; left out, there is none."""
    analysis: Analysis = Analysis()
    """What is asked of the results, before there are any."""
    keep: Keep = Keep()
    """Which weights are kept."""
    checkpoints: Annotated[str | None, BeforeValidator(checkpoint_place)] = None
    """Where live trials keep their checkpoints: a folder that every node sees, or
    `s3://bucket/folder`; left out, the run's folder.
    """
    resources: Resources = Resources()
    """What one trial takes of the machine."""
    execution: Annotated[Execution, BeforeValidator(execution_from)] = Execution()
    """Whether networks are trained, or existing results are replayed."""
    trackers: Annotated[tuple[str, ...], BeforeValidator(tracker_names)] = ()
    """Trackers that receive what trials report, besides the journal."""

    @property
    def objectives(self) -> tuple[Objective, ...]:
        """The objectives of the study: as written, or the first metric of the task."""
        metrics = TASKS[self.task.name].metrics
        written = self.search.objectives
        return objectives_of(written or (f"val_{metrics[0].name}",), metrics)

    @model_validator(mode="after")
    def _measured(self) -> Self:
        try:
            objectives = self.objectives
        except ValueError as error:
            raise MisfitError("search.objectives", str(error)) from error
        names = [objective.name for objective in objectives]
        reported = [one.name for one in objectives if one.source == "reported"]
        if not reported or len({*names}) < len(names):
            known = ", ".join(f"val_{m.name}" for m in TASKS[self.task.name].metrics)
            raise MisfitError(
                "search.objectives",
                f"must contain one that trials report ({known}), and each objective only "
                f"once; the others are {', '.join((*COUNTED, *MEASURED))}",
            )
        traits = SAMPLERS[self.search.sampler.name].traits
        if len(objectives) > 1 and "adaptive" in traits and "several" not in traits:
            able = [name for name, facts in SAMPLERS.ours.items() if "several" in facts.traits]
            raise MisfitError(
                "search.sampler",
                f"looks at one objective, but there are {', '.join(names)}; write "
                f"{' or '.join(able)}, or one objective",
            )
        return self

    @model_validator(mode="after")
    def _can_be_measured(self) -> Self:
        check_measured(
            self.objectives,
            self.budget,
            gpu=self.resources.gpu,
            replay=bool(self.execution.replay),
            warm=bool(self.search.warm_start),
        )
        return self

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.search.ordered and scheduler_traits(self.scheduler):
            raise MisfitError(
                "search.ordered",
                f"fixes the order of proposals, but {self.scheduler.name} stops trials by "
                "whichever reported first; write scheduler: fifo, or remove it",
            )
        return self

    @model_validator(mode="after")
    def _can_be_scheduled(self) -> Self:
        trials = None if self.search.trials == "all" else self.search.trials
        check_scheduler(self.scheduler, epochs=self.training.longest, trials=trials)
        if self.fidelity is not None:
            tuned = self.search.tune is not None
            check_fidelity(self.fidelity, self.scheduler, trials=trials, tuned=tuned)
        replay = bool(self.execution.replay)
        check_zero_cost(self.zero_cost, self.search, trials=trials, replay=replay)
        return self

    @model_validator(mode="after")
    def _can_vary(self) -> Self:
        check_scores(self.zero_cost, self.task.name)
        check_annotations(self.task.name, self.data)
        check_task(self.task, self.network, self.training, self.data)
        check_model(self.task.name, self.budget, self.objectives)
        check_varying(
            self.network,
            self.data,
            self.training,
            self.search,
            self.scheduler,
            confirms=self.confirm is not None,
        )
        varied = self.training.varied
        if self.execution.replay:
            check_known(self.network, varied, "execution.replay")
        if self.search.warm_start:
            check_known(self.network, varied, "search.warm_start")
        return self

    @model_validator(mode="after")
    def _can_replay(self) -> Self:
        check_transfer(
            self.transfer,
            confirms=self.confirm is not None,
            replay=bool(self.execution.replay),
        )
        if self.execution.replay and self.confirm:
            raise MisfitError(
                "confirm",
                "trains networks with fresh seeds, but a replay trains none; remove it, or "
                "write execution: trials",
            )
        if self.execution.replay and self.trackers:
            raise MisfitError(
                "trackers",
                "record training, but a replay trains nothing; remove them, or write "
                "execution: trials",
            )
        return self

    @model_validator(mode="after")
    def _can_fill(self) -> Self:
        if self.network.width != "fill":
            return self
        limits = self.budget.bands().values()
        if all(band.most is None for band in limits):
            raise MisfitError(
                "network.width", "needs a limit to fill; write budget: {macs: {max: 4.0G}}"
            )
        if any(band.bands for band in limits):
            raise MisfitError(
                "network.width",
                "fills one limit, but the budget has bands; list widths such as {from: 4, "
                "to: 64}",
            )
        if self.search.base.width is not None:
            raise MisfitError("search.base.width", "has no effect with width: fill; remove it")
        if self.search.solve:
            raise MisfitError(
                "search.solve",
                "has no effect with width: fill, which solves too; remove one of the two",
            )
        return self

    @model_validator(mode="after")
    def _in_bands(self) -> Self:
        banded = [name for name, band in self.budget.bands().items() if band.bands]
        if len(banded) > 1:
            raise MisfitError(
                f"budget.{banded[1]}",
                f"has bands, and so does {banded[0]}; keep only one of them",
            )
        if self.search.per_band and not banded:
            raise MisfitError(
                "search.per_band",
                (
                    "is only for a budget with bands; write budget: {macs: {bands: [1G, "
                    "2G]}}, or trials"
                ),
            )
        if self.search.per_band and scheduler_traits(self.scheduler):
            raise MisfitError(
                "search.per_band",
                f"searches each band by itself, but {self.scheduler.name} would stop networks "
                "of one band by those of another; write scheduler: fifo, or search.trials (and "
                "another --out for a study that began so)",
            )
        return self

    @model_validator(mode="after")
    def _can_solve(self) -> Self:
        if self.search.solve and all(b.most is None for b in self.budget.bands().values()):
            raise MisfitError(
                "search.solve", "needs a limit to spend; write budget: {macs: {max: 4.0G}}"
            )
        return self

    @model_validator(mode="after")
    def _asks_of_axes(self) -> Self:
        if "of" in self.analysis.model_fields_set and not self.search.has_axes:
            raise MisfitError(
                "analysis.of", "is only for the sampler axes; write that, or remove it"
            )
        return self

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        too_long = self.training.too_long(self.confirm.epochs) if self.confirm else ""
        if too_long:
            raise MisfitError("confirm.epochs", f"is too few: {too_long}")
        gpu = self.resources.gpu
        if not gpu and self.training.execution == "graphs":
            raise MisfitError(
                "training.execution", "needs a GPU; write eager, or resources: {gpu: 1}"
            )
        if gpu != "auto" and gpu > 1:
            raise MisfitError(
                "resources.gpu", "is above 1, but a trial trains on one GPU; write 1, or 0.5"
            )
        return self
