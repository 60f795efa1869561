"""The hard limits of every candidate: bands of multiply-adds, parameters, activations."""

from typing import Annotated, Self

from pydantic import BeforeValidator, model_validator

from search.schema.section import Section
from search.schema.values import parse_amount

Amount = Annotated[int | None, BeforeValidator(parse_amount)]


class Band(Section):
    """Inclusive limits; amounts such as 4.0G or 40M."""

    min: Amount = None
    """At least so many."""
    max: Amount = None
    """At most so many."""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.min is None and self.max is None:
            raise ValueError("gives no limit; write {max: ...}, {min: ...} or both")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(
                f"min {self.min:,} is above max {self.max:,}; lower min or raise max"
            )
        return self


class Budget(Section):
    """Hard limits of every candidate, per image; none is ever proposed outside."""

    macs: Band | None = None
    """Multiply-adds of convolutions and linear layers, the paper's "FLOPs". [multiply-adds an
    image]
    """
    params: Band | None = None
    """Learnable numbers of the network. [numbers]"""
    activations: Band | None = None
    """Numbers that convolutions and linear layers put out. [numbers an image]"""

    def bands(self) -> dict[str, Band]:
        """The limits that are set, by the name of what they limit."""
        named = {"macs": self.macs, "params": self.params, "activations": self.activations}
        return {name: band for name, band in named.items() if band is not None}
