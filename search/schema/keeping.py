"""The confirm and keep sections: the best networks again, and whose weights are kept."""

from typing import Annotated

from pydantic import Field, PositiveInt

from search.schema.section import Section


class Confirm(Section):
    """The best networks of the search, trained again with fresh seeds."""

    top: PositiveInt
    """How many networks are confirmed: those that the search ranks first. [networks]"""
    seeds: PositiveInt
    """Trials of each, every one with a fresh seed. [trials]"""
    epochs: PositiveInt
    """Length of such a trial. [epochs]"""


class Keep(Section):
    """Whose weights are kept when a trial ends: of the best networks, and of all confirmed."""

    best: Annotated[int, Field(ge=0)] = 1
    """Networks of the search whose weights are kept, each with all its seeds. [networks]"""
