"""The confirm and keep sections: retraining the best networks, and which weights are kept."""

from typing import Annotated

from pydantic import Field, PositiveInt

from search.schema.section import Section


class Confirm(Section):
    """The best networks of the search, trained again with fresh seeds."""

    top: PositiveInt
    """Number of networks to confirm: those that the search ranks first. [networks]"""
    seeds: PositiveInt
    """Trials of each network, each with a fresh seed. [trials]"""
    epochs: PositiveInt
    """Length of these trials. [epochs]"""


class Keep(Section):
    """Which weights are kept: those of the best networks, and of all confirmed ones."""

    best: Annotated[int, Field(ge=0)] = 1
    """Networks of the search whose weights are kept, each with all its seeds. [networks]"""
