"""The sampler of a study, as planned: one for each band, in order, or neither."""

from search.samplers.banded import Banded
from search.samplers.base import Sampler, make_sampler
from search.samplers.in_order import InOrder
from search.schema.study_plan import StudyPlan
from search.space.survey import Survey


def sampler_of(plan: StudyPlan, survey: Survey) -> Sampler:
    """Make the sampler of a study.

    Args:
        plan: plan of the study.
        survey: the candidates inside the budget.

    Raises:
        PluginError: a foreign one cannot be made.
    """
    search = plan.search

    def make(candidates: Survey) -> Sampler:
        return make_sampler(
            search.sampler,
            candidates,
            seed=search.seed,
            objectives=plan.objectives,
            prior=search.prior,
        )

    sampler = Banded(survey, search.per_band, make) if search.per_band else make(survey)
    return InOrder(sampler, search.concurrency) if search.concurrency else sampler
