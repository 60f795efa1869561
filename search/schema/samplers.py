"""The table of samplers: which candidates are tried, in which order."""

from collections.abc import Mapping
from typing import Annotated, Any, NamedTuple

from pydantic import Field, PositiveInt

from res2net.plugins import PluginError
from search.schema.parts import NoOptions, Table, traits_of
from search.schema.section import Section

# Traits that a sampler may declare; code that needs a trait refuses samplers without it.
TRAITS: Mapping[str, str] = {
    "uniform": "draws each candidate alike, without looking at results",
    "exhaustive": "tries every candidate once, and then ends: `trials` may be left out",
    "adaptive": "looks at results",
    "axes": "leaves a base in one dimension at a time: takes `base` and `solve`",
    "solves": "needs `solve`, so that its networks cost as much as each other",
    "stratified": "draws alike from each bin of multiply-adds, without looking at results",
    "several": "can look at several objectives at once",
    "outside": "comes from elsewhere, and is tried before a study begins",
    "prior": "takes a `prior`",
    "ordered": "tries cheap candidates first, so that part of its trials is not a sample",
}


# A model needs some results to split into good and bad, or to fit. The number is TPE's
# default; they are drawn uniformly inside the budget, not from the box around the candidates.
STARTUP = 10


class SamplerFacts(NamedTuple):
    """Facts about a sampler; its maker takes (survey, seed, objectives)."""

    maker: str
    traits: frozenset[str]
    summary: str
    options: type[Section] | None = NoOptions
    of_optuna: bool = False  # it is made for Optuna, which does not know the budget
    at_random: int | str = 0  # networks that end before it learns, or the option for it
    from_stopped: bool = False  # with one objective it learns from trials stopped early, too

    @property
    def ends(self) -> bool:
        """Whether it ends by itself, so that the number of trials may be left out."""
        return "exhaustive" in self.traits or "axes" in self.traits


class Stratified(Section):
    """Keys of `stratified`."""

    bins: PositiveInt = 8
    """Bins of multiply-adds, equally wide in the logarithm. [bins]"""


class Population(Section):
    """Keys of `nsga2` and `nsga3`."""

    population: Annotated[int, Field(ge=2)] = 20
    """Networks of a generation. [networks]"""


class Local(Section):
    """Keys of `local`."""

    start: PositiveInt = 10
    """Networks drawn at random for each climb, which starts at the best of them. [networks]"""


class Evolution(Section):
    """Keys of `evolution`."""

    population: Annotated[int, Field(ge=2)] = 20
    """Networks that are alive; as many are drawn at random first. [networks]"""
    sample: Annotated[int, Field(ge=1)] = 5
    """Networks drawn from the population, the best of which is the parent. [networks]"""


class Hub(Section):
    """Keys of `optunahub`."""

    package: str
    """The package, such as `samplers/auto_sampler`."""
    sampler: str
    """The class in that package, such as `AutoSampler`."""
    options: dict[str, Any] = Field(default_factory=dict)
    """Keyword arguments of the class."""
    registry: str | None = None
    """Folder with a copy of the registry; left out, the package is loaded from the network."""


def _foreign(name: str, value: Any) -> SamplerFacts:
    if not callable(value):
        raise PluginError(
            f"{name}: is not a sampler; write a class or function that takes (survey, *, "
            "seed, objectives)"
        )
    if _is_of_optuna(value):
        traits = frozenset({"adaptive", "several"})  # checked when it is tried
        return SamplerFacts(name, traits, _first_line(value), None, of_optuna=True)
    return SamplerFacts(name, traits_of(name, value, TRAITS), _first_line(value), None)


def _is_of_optuna(value: Any) -> bool:
    """Whether it is one of Optuna's classes, or a function annotated to return one."""
    returned = getattr(value, "__annotations__", {}).get("return")
    kinds = [kind for kind in (value, returned) if isinstance(kind, type)]
    bases = [base for kind in kinds for base in kind.__mro__]
    return any(
        base.__name__ == "BaseSampler" and base.__module__.startswith("optuna.")
        for base in bases
    )


def _first_line(value: Any) -> str:
    return (value.__doc__ or "").strip().partition("\n")[0]


SAMPLERS = Table(
    "sampler",
    {
        "tpe": SamplerFacts(
            "search.samplers.optunas:tpe",
            frozenset({"adaptive", "several", "prior"}),
            "multivariate TPE, each draw moved to the nearest candidate left",
            at_random=STARTUP,
            from_stopped=True,
        ),
        "gp": SamplerFacts(
            "search.samplers.optunas:gp",
            frozenset({"adaptive", "several", "prior"}),
            "a Gaussian process, each draw moved to the nearest candidate left",
            at_random=STARTUP,
        ),
        "cmaes": SamplerFacts(
            "search.samplers.optunas:cmaes",
            frozenset({"adaptive"}),
            "CMA-ES, each draw moved to the nearest candidate left",
            at_random=STARTUP,
        ),
        "nsga2": SamplerFacts(
            "search.samplers.optunas:nsga2",
            frozenset({"adaptive", "several"}),
            "NSGA-II, each child moved to the nearest candidate left",
            Population,
            at_random="population",
        ),
        "nsga3": SamplerFacts(
            "search.samplers.optunas:nsga3",
            frozenset({"adaptive", "several"}),
            "NSGA-III, for three objectives and more; moved as NSGA-II",
            Population,
            at_random="population",
        ),
        "evolution": SamplerFacts(
            "search.samplers.evolution:Evolution",
            frozenset({"adaptive"}),
            "regularized evolution: the best of a sample is changed, the oldest leaves",
            Evolution,
            at_random="population",
            from_stopped=True,
        ),
        "local": SamplerFacts(
            "search.samplers.local:Local",
            frozenset({"adaptive"}),
            "local search: the neighbours of the best, then another start at random",
            Local,
            at_random="start",
            from_stopped=True,
        ),
        "optunahub": SamplerFacts(
            "search.samplers.optunas:hub",
            frozenset({"adaptive", "several", "outside"}),
            "any sampler of OptunaHub, each draw moved to the nearest candidate left",
            Hub,
        ),
        "random": SamplerFacts(
            "search.samplers.ordered:random",
            frozenset({"uniform"}),
            "uniform over the candidates inside the budget, without repetition",
        ),
        "qmc": SamplerFacts(
            "search.samplers.spread:qmc",
            frozenset({"uniform"}),
            "a scrambled Sobol sequence, even over the candidates inside the budget",
        ),
        "stratified": SamplerFacts(
            "search.samplers.spread:stratified",
            frozenset({"stratified"}),
            "uniform over bins of multiply-adds, so that none has most of the trials",
            Stratified,
        ),
        "grid": SamplerFacts(
            "search.samplers.ordered:grid",
            frozenset({"exhaustive", "ordered"}),
            "every candidate, cheapest first",
        ),
        "axes": SamplerFacts(
            "search.samplers.ordered:axes",
            frozenset({"axes", "ordered"}),
            "one dimension at a time from a base, as the paper's Fig. 5",
        ),
        "isomacs": SamplerFacts(
            "search.samplers.ordered:axes",
            frozenset({"axes", "ordered", "solves"}),
            "one dimension at a time from a base, another one solving for the budget",
        ),
    },
    _foreign,
)
