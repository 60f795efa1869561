"""The table of samplers: which candidates are tried, in which order."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from res2net.plugins import PluginError
from search.schema.parts import NoOptions, Table, traits_of
from search.schema.section import Section

# What a sampler may say of itself; who asks, refuses where it says nothing.
TRAITS: Mapping[str, str] = {
    "uniform": "draws each candidate alike, without looking at results",
    "exhaustive": "tries every candidate once, and then ends: `trials` may be left out",
    "adaptive": "looks at results",
    "axes": "leaves a base in one dimension at a time: takes `base` and `solve`",
    "ordered": "tries cheap candidates first, so that a part of its trials is no sample",
}


class SamplerFacts(NamedTuple):
    """What the table says of a sampler; its maker takes (survey, seed, objectives)."""

    maker: str
    traits: frozenset[str]
    summary: str
    options: type[Section] | None = NoOptions

    @property
    def ends(self) -> bool:
        """Whether it ends by itself, so that the number of trials may be left out."""
        return "exhaustive" in self.traits or "axes" in self.traits


def _foreign(name: str, value: Any) -> SamplerFacts:
    if not callable(value):
        raise PluginError(
            f"{name}: is no sampler; write a class or function that takes (survey, *, seed, "
            "objectives)"
        )
    return SamplerFacts(name, traits_of(name, value, TRAITS), _first_line(value), None)


def _first_line(value: Any) -> str:
    return (value.__doc__ or "").strip().partition("\n")[0]


SAMPLERS = Table(
    "sampler",
    {
        "tpe": SamplerFacts(
            "search.samplers.tpe:Tpe",
            frozenset({"adaptive"}),
            "Optuna's TPE, each draw moved to the nearest candidate left",
        ),
        "random": SamplerFacts(
            "search.samplers.ordered:random",
            frozenset({"uniform"}),
            "uniform over the candidates inside the budget, without repetition",
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
    },
    _foreign,
)
