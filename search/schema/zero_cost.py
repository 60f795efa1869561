"""The zero_cost section: scores of untrained networks, optionally used as a first rung."""

from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, model_validator

from search.schema.budget import percentage
from search.schema.metrics import BASELINES, SCORES
from search.schema.samplers import SAMPLERS
from search.schema.search import Search
from search.schema.section import Section
from search.schema.values import MisfitError

# By task: with positive weights a detector finds no box; ReLUs of a mask head see boxes.
_UNFIT = {"detection": ("synflow",), "instances": ("synflow", "naswot")}


def score_names(value: Any) -> tuple[str, ...]:
    """List of `synflow`, `naswot` and `grad_norm`, or one of them."""
    names = tuple(value) if isinstance(value, (list, tuple)) else (value,)
    known = ", ".join(SCORES)
    unknown = next((one for one in map(str, names) if one not in SCORES), None)
    if unknown in BASELINES:
        raise ValueError(
            f"contains {unknown!r}, which is counted and shown beside every score anyway; "
            f"write any of {known}"
        )
    if unknown is not None or not names or len(set(names)) < len(names):
        raise ValueError(f"is not a list of scores, each once; write any of {known}")
    return names


def score_name(value: Any) -> str | None:
    """One of `scores`, or `params` or `macs`."""
    known = (*SCORES, *BASELINES)
    if value is not None and value not in known:
        raise ValueError(f"is not a score; write one of {', '.join(known)}")
    return value and str(value)


class ZeroCost(Section):
    """Estimates of an untrained network's worth, by scores that take seconds.

    The network of each trial is scored with the trial's own initial weights, on its device,
    before its first epoch. The report says how well each score ranks networks as their training
    does, compared with parameters and multiply-adds. With `keep` scores are a first rung: a
    network whose score is not among the best so far ends there, as `rejected`.
    """

    scores: Annotated[tuple[str, ...], BeforeValidator(score_names)] = tuple(SCORES)
    """Which scores are computed."""
    keep: Annotated[float | None, BeforeValidator(percentage)] = None
    """Share of the networks scored so far that are trained, such as `25%`; left out, all are.
    [share]
    """
    by: Annotated[str | None, BeforeValidator(score_name)] = None
    """The score that decides, more being better: one of `scores`, or `params` or `macs`, which
    cost nothing.
    """
    after: Annotated[int, Field(ge=1)] = 10
    """The first so many networks are trained whatever they score. [networks]"""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.keep is not None and self.by is None:
            raise ValueError(f"has keep but not by; write by: {self.scores[0]} as well")
        if self.keep is None and ({"by", "after"} & self.model_fields_set) and self.by:
            raise ValueError("has by but not keep; write keep: 25% as well, or remove it")
        if self.by is not None and self.by not in (*self.scores, *BASELINES):
            raise ValueError(
                f"by is {self.by}, which is not among scores; add it there, or write one of "
                f"{', '.join((*self.scores, *BASELINES))}"
            )
        return self


def check_scores(zero_cost: ZeroCost | None, task: str) -> None:
    """Check that scores say something of the networks of a task.

    Raises:
        MisfitError: one does not.
    """
    unfit = (
        [one for one in zero_cost.scores if one in _UNFIT.get(task, ())] if zero_cost else []
    )
    if unfit:
        raise MisfitError(
            "zero_cost.scores",
            f"contains {unfit[0]}, which says nothing of an untrained network for {task}, as "
            "its boxes depend on its weights; write scores: [grad_norm] (and another --out for "
            "a study that began so)",
        )


def check_zero_cost(
    zero_cost: ZeroCost | None, search: Search, *, trials: int | None, replay: bool
) -> None:
    """Check that networks can be scored, and that a rung of scores is meaningful.

    Args:
        zero_cost: zero_cost section as written, None where there is none.
        search: search section of the study.
        trials: networks of the search; None where that is not known yet.
        replay: whether results are replayed, so that there is no network to score.

    Raises:
        MisfitError: they cannot, with the key to look at.
    """
    if zero_cost is None:
        return
    if replay:
        raise MisfitError(
            "zero_cost",
            "scores networks that are built, but a replay builds none; remove it, or write "
            "execution: trials",
        )
    if zero_cost.keep is None:
        if "after" in zero_cost.model_fields_set:
            raise MisfitError(
                "zero_cost.after",
                "does nothing without keep; write keep: 25% and by as well, or remove it",
            )
        return
    _check_order(search)
    if trials is not None and zero_cost.after >= trials:
        lower = "write a lower number" if trials > 1 else "write more trials"
        raise MisfitError(
            "zero_cost.after", f"leaves none of search.trials {trials:,} to be judged; {lower}"
        )


def _check_order(search: Search) -> None:
    """Check that the order of trials makes "the best so far" meaningful."""
    if search.ordered:
        raise MisfitError(
            "zero_cost.keep",
            "compares with networks in the order in which they were scored, but "
            "search.ordered requires that only the order of proposals matters; remove one of "
            "the two",
        )
    if search.tune:
        raise MisfitError(
            "zero_cost.keep",
            (
                "compares each network once, but search.tune tries it several times; remove "
                "one of the two"
            ),
        )
    if search.per_band:
        raise MisfitError(
            "zero_cost.keep",
            "compares all networks, and scores grow with size: nothing would be left of the "
            "smaller bands of search.per_band; remove one of the two",
        )
    if "ordered" in SAMPLERS[search.sampler.name].traits:
        raise MisfitError(
            "zero_cost.keep",
            f"compares with the networks so far, and {search.sampler.name} begins with the "
            "smallest: as scores grow with size, each would be the best so far; write "
            "search: {sampler: random}, with trials: all if you like",
        )
