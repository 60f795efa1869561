"""Hard limits for every candidate, on counted costs and on measured ones."""

import itertools
from typing import Annotated, Any, NamedTuple, Self

from pydantic import BeforeValidator, model_validator

from search.schema.measured import (
    EnergyLimit,
    LatencyLimit,
    Limits,
    MemoryLimit,
    ThroughputLimit,
)
from search.schema.metrics import MEASURED
from search.schema.section import Section
from search.schema.values import parse_amount

_TOLERANCE = 0.02
_COUNTED = ("macs", "params", "activations", "model_macs", "model_params")


class Range(NamedTuple):
    """Inclusive limits; None for no limit."""

    low: int | None
    high: int | None


def amounts(value: Any) -> tuple[int, ...]:
    """A list of amounts such as [0.5G, 1G]."""
    if not isinstance(value, (list, tuple)):
        raise ValueError("is not a list; write one such as [0.5G, 1G, 2G, 4G]")
    found = [parse_amount(each) for each in value]
    if None in found:
        raise ValueError("contains an empty amount; write each, such as 0.5G")
    return tuple(sorted(each for each in found if each is not None))


def percentage(value: Any) -> float | None:
    """`2%` or 0.02 as a share above 0 and below 1; None stays None."""
    if value is None:
        return None
    try:
        number = float(value.strip().removesuffix("%")) if isinstance(value, str) else value
        share = number / 100 if isinstance(value, str) and value.strip()[-1:] == "%" else number
    except ValueError as error:
        raise ValueError("is not a share; write one such as 2%") from error
    if isinstance(share, bool) or not isinstance(share, (int, float)) or not 0 < share < 1:
        raise ValueError("is not a share above 0 and below 100%; write one such as 2%")
    return float(share)


Amount = Annotated[int | None, BeforeValidator(parse_amount)]
Tolerance = Annotated[float | None, BeforeValidator(percentage)]


class Band(Section):
    """Inclusive limits; amounts such as 4.0G or 40M. Or `bands`, several narrow ranges."""

    min: Amount = None
    """Lower limit."""
    max: Amount = None
    """Upper limit."""
    bands: Annotated[tuple[int, ...], BeforeValidator(amounts)] = ()
    """Several amounts, each with `tolerance` around it, instead of `min` and `max`."""
    tolerance: Tolerance = None
    """Half-width of a band relative to its amount; `2%` if left out. [share]"""

    @property
    def ranges(self) -> tuple[Range, ...]:
        """The limits as ranges that do not overlap, in ascending order."""
        if not self.bands:
            return (Range(self.min, self.max),)
        reach = _TOLERANCE if self.tolerance is None else self.tolerance
        return tuple(Range(round(a * (1 - reach)), round(a * (1 + reach))) for a in self.bands)

    @property
    def most(self) -> int | None:
        """The highest amount allowed; None where there is no limit."""
        return self.ranges[-1].high

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.bands:
            self._check_bands()
            return self
        if self.tolerance is not None:
            raise ValueError("has a tolerance but no bands; write bands: [1G, 2G] as well")
        if self.min is None and self.max is None:
            raise ValueError("sets no limit; write {max: ...}, {min: ...} or both")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(
                f"min {self.min:,} is above max {self.max:,}; lower min or raise max"
            )
        return self

    def _check_bands(self) -> None:
        if self.min is not None or self.max is not None:
            raise ValueError("has both bands and a limit; leave out min and max, or the bands")
        for low, high in itertools.pairwise(self.ranges):
            if low.high >= high.low:  # type: ignore[operator]  # bands have both limits
                raise ValueError(
                    f"has bands that overlap, up to {low.high:,} and from {high.low:,}; write "
                    "amounts further apart, or a smaller tolerance"
                )


class Budget(Section):
    """Hard limits for every candidate. No network outside the limits on counts is proposed."""

    macs: Band | None = None
    """Multiply-adds of convolutions and linear layers, the paper's "FLOPs". [multiply-adds an
    image]
    """
    params: Band | None = None
    """Learnable numbers (parameters) of the network. [numbers]"""
    activations: Band | None = None
    """Numbers in the outputs of convolutions and linear layers. [numbers an image]"""

    model_macs: Band | None = None
    """Multiply-adds of a network with its task's head; for a classifier the same as `macs`.
    [multiply-adds an image]
    """
    model_params: Band | None = None
    """Learnable numbers of a network with its task's head. [numbers]"""

    latency: LatencyLimit | None = None
    """Median time for one image. Measured on the trial's device before its first epoch: a trial
    whose network is outside the limit ends there, as `rejected`.
    """
    latency_128: LatencyLimit | None = None
    """Median time for 128 images at once; measured as `latency` is."""
    throughput: ThroughputLimit | None = None
    """Images per second, 128 at once; measured as `latency` is."""
    inference_memory: MemoryLimit | None = None
    """Memory of the network with 128 images; measured as `latency` is."""
    inference_energy: EnergyLimit | None = None
    """Energy per image, 128 at once, if the GPU reports it; measured as `latency` is."""

    def measured(self) -> tuple[Limits, ...]:
        """The limits on measured numbers."""
        limits = ((MEASURED[name], getattr(self, name)) for name in MEASURED)
        return tuple(
            Limits(objective, getattr(one, "min", None), getattr(one, "max", None))
            for objective, one in limits
            if one is not None
        )

    def bands(self) -> dict[str, Band]:
        """The limits on counted numbers, by the name of what they limit."""
        named = {name: getattr(self, name) for name in _COUNTED}
        return {name: band for name, band in named.items() if band is not None}
