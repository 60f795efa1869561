"""The analysis section: the questions of a study, written down before there are results.

What was planned may be claimed as a finding; what was found by looking afterwards may not. So
the manifest keeps this section, and a study whose section has changed is not resumed.
"""

import math
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from search.schema.section import Section

_ROUNDING = 1e-9  # rounding that weights may add up to, times the largest: 1/3, 1/3, 1/3 less 1


def _adds_up(weights: Mapping[str, float]) -> Mapping[str, float]:
    """Weights of two networks or more that add up to 0."""
    kept = [weight for weight in weights.values() if weight]
    total = math.fsum(kept)
    if len(kept) < 2:
        raise ValueError(
            "names fewer than two networks with a weight other than 0; write, for example, "
            "{res2next29_6c24w4s: 1, resnext29_6c64w: -1}"
        )
    if abs(total) > _ROUNDING * max(map(abs, kept)):
        raise ValueError(
            f"has weights that add up to {total:g}, not 0, so the effect of a seed on all "
            "networks would not cancel out; change them, for example to 1 and -1, or 0.5, "
            "0.5 and -1"
        )
    return weights


Weights = Annotated[dict[str, float], AfterValidator(_adds_up)]


class Analysis(Section):
    """What the study asks, written down before there are results.

    Contrasts are weighted sums of networks' mean scores. The report separates them from
    comparisons chosen afterwards; a study that has begun keeps this section as it is.
    """

    margin: Annotated[float | None, Field(gt=0)] = None
    """Difference below which two networks count as the same, as it is too small to matter in
    practice; of validation scores in a verdict, of test scores in a report. [points of what
    ranks]
    """
    of: Literal["scale", "cardinality", "depth", "width"] = "scale"
    """For the sampler `axes`: the dimension that the study is about; it is compared with each
    of the others.
    """
    stopping: Literal["fixed", "always_valid"] = "fixed"
    """`fixed`: as many seeds as planned at the first start. `always_valid`: seeds may be added
    after a look at the results; intervals are wider, and hold at every look.
    """
    contrasts: dict[str, Weights] = Field(default_factory=dict)
    """Your own comparisons, by name: the weight of each network. Weights add up to 0:
    `{big_less_small: {Res2NeXt-29-6c24w6s: 1, Res2NeXt-29-6c24w2s: -1}}`.
    """
