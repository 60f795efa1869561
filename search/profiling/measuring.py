"""Estimates the hours of a study: three candidates are timed, the others are interpolated.

The result is the seconds of a mean epoch with its error, hours of the whole study, and disk.
"""

import math

import numpy as np
import numpy.typing as npt

from res2net.cores import usable_cores
from search.profiling.estimate import Estimate, Rehearsal, Timed
from search.profiling.rehearsal import Rehearsals, rehearsed
from search.samplers.ordered import NOTHING, Elsewhere, Tried
from search.schema.optimizers import OPTIMIZERS
from search.schema.resources import trials_on
from search.schema.schedulers import scheduler_traits
from search.schema.study_plan import StudyPlan
from search.space.survey import Survey

_FLOAT = 4  # bytes
_PER_EPOCH, _PER_TRIAL = 270, 1550  # bytes of the journal
Floats = npt.NDArray[np.float64]


def measure(
    plan: StudyPlan, survey: Survey, *, beside: int, elsewhere: Elsewhere = NOTHING
) -> Estimate:
    """Time the candidates with the fewest, the median and the most multiply-adds.

    Args:
        plan: plan of the study.
        survey: its candidates.
        beside: trials that will run at once on this machine; as many rehearse at once.
        elsewhere: what other runs have trained, and this study does not.
    """
    order = np.argsort(survey.costs.macs, kind="stable")
    chosen = dict.fromkeys(int(order[i]) for i in (0, len(order) // 2, len(order) - 1))
    gpus = plan.resources.gpu
    with Rehearsals(
        plan, beside=beside, a_gpu=trials_on(1, gpus) if 0 < gpus < 1 else 1
    ) as stage:
        timed = tuple(_timed(plan, survey, candidate, stage) for candidate in chosen)
        again = _timed(plan, survey, timed[0].candidate, stage)
    drift = abs(again.epoch / timed[0].epoch - 1)  # caused by other work on the machine
    predictor, deviation = _best_predictor(survey, timed)
    tried = Tried(survey, plan.search, elsewhere.known)
    predicted = _predicted(survey, timed, predictor)
    mean = tried.mean(predicted)
    test = plan.data.test * timed[len(timed) // 2].rehearsal.image
    (trials, epochs), *confirm = plan.phases
    left = trials - len(elsewhere.taken_over)
    taken_over = float(predicted[list(elsewhere.taken_over)].sum())
    first = max(trials * mean - taken_over, 0.0) / left if left else 0.0
    phases = [(left, epochs * first + test), *((n, e * mean + test) for n, e in confirm)]
    return Estimate(
        timed=timed,
        predictor=predictor,
        error=max(deviation, drift, *(_spread(one.rehearsal) for one in timed)),
        epoch=mean,
        beside=beside,
        work=sum(n * seconds for n, seconds in phases),
        wall=sum(math.ceil(n / beside) * seconds for n, seconds in phases),
        disk=_disk(plan, survey, tried, beside=min(beside, sum(n for n, _ in phases))),
    )


def slots(plan: StudyPlan) -> int:
    """Number of trials that this machine can run at once."""
    most = usable_cores() // plan.resources.cpu
    gpu = plan.resources.gpu
    if gpu:
        import torch  # noqa: PLC0415 - only needed for GPUs

        most = min(most, trials_on(torch.cuda.device_count(), gpu))
    most = min(most, plan.search_trials(), plan.search.concurrency or most)
    return max(1, most)


def _timed(plan: StudyPlan, survey: Survey, candidate: int, stage: Rehearsals) -> Timed:
    slowest = max(rehearsed(stage, survey, candidate), key=lambda one: one.step)
    steps = plan.training.steps(plan.data.train)
    epoch = steps * slowest.step + plan.data.validation * slowest.image
    return Timed(candidate, slowest, epoch)


def _best_predictor(survey: Survey, timed: tuple[Timed, ...]) -> tuple[str, float]:
    """The cost that best predicts the middle candidate's time from the others'."""
    if len(timed) < 3:
        return "macs", 0.0
    outer, middle = (timed[0], timed[2]), timed[1]
    deviations = {
        name: abs(float(_predicted(survey, outer, name)[middle.candidate]) / middle.epoch - 1)
        for name in ("macs", "activations")
    }
    name = min(deviations, key=lambda key: deviations[key])
    return name, deviations[name]


def _predicted(survey: Survey, timed: tuple[Timed, ...], predictor: str) -> Floats:
    """Seconds of an epoch of every candidate, interpolated between those that were timed."""
    costs = getattr(survey.costs, predictor).astype(np.float64)
    known = sorted((costs[one.candidate], one.epoch) for one in timed)
    at, seconds = zip(*known, strict=True)
    inside: Floats = np.interp(costs, at, seconds)
    return inside


def _spread(rehearsal: Rehearsal) -> float:
    low, high = rehearsal.quartiles
    return (high - low) / rehearsal.step / 2


def _disk(plan: StudyPlan, survey: Survey, tried: Tried, *, beside: int) -> int:
    """Bytes of checkpoints, kept weights and journal, when they take most.

    Two checkpoints of each running trial are kept while the next is written, and one of each
    that is paused.
    """
    recipe, params = plan.training, survey.costs.model_params  # checkpoints hold the head, too
    copies = 1 + OPTIMIZERS[recipe.optimizer].state + (recipe.ema is not None)
    size = _FLOAT * (2 if recipe.precision == "fp64" else 1)
    pauses = "pauses" in scheduler_traits(plan.scheduler)
    paused = max(0, plan.first_trials - beside) if pauses else 0
    checkpoints = 3 * beside * tried.largest(params) + paused * tried.mean(params)
    weights = _kept(plan) * tried.mean(params)
    epochs = sum(trials * epochs for trials, epochs in plan.phases)
    return (
        math.ceil(size * (copies * checkpoints + weights))
        + epochs * _PER_EPOCH
        + sum(trials for trials, _ in plan.phases) * _PER_TRIAL
    )


def _kept(plan: StudyPlan) -> int:
    """Files of weights in networks/, when there are most.

    Of every network they are kept until its last seed, as until then it may be the best.
    """
    search, best = plan.search, plan.keep.best
    waiting = search.trials * (search.seeds - 1)
    return (waiting + min(best, search.trials) if best else 0) + plan.confirm_trials
