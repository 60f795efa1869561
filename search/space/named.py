"""The candidates of a survey by the values of their dimensions, as other tools store them."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from res2net.architecture import written
from search.space.survey import Survey

Value = bool | int | float | str


class Named:
    """Candidates as mappings of dimension to value, as in Optuna and Ray Tune.

    Args:
        survey: the candidates inside the budget.

    Attributes:
        choices: the values of each dimension, in order; a list by stage is text.
    """

    def __init__(self, survey: Survey) -> None:
        self.choices: dict[str, tuple[Value, ...]] = {
            dimension.name: tuple(plain(value) for value in dimension.values)
            for dimension in survey.dimensions
        }
        self._indices = survey.indices()
        shape = tuple(len(values) for values in self.choices.values())
        self._shape = shape
        places = np.ravel_multi_index(tuple(self._indices.T), shape)
        self._order = np.argsort(places, kind="stable")
        self._places = places[self._order]

    def values(self, candidate: int) -> dict[str, Value]:
        """The values of a candidate by dimension."""
        places = map(int, self._indices[candidate])
        return {
            name: choices[place]
            for (name, choices), place in zip(self.choices.items(), places, strict=True)
        }

    def candidate(self, values: Mapping[str, Any]) -> int | None:
        """The candidate with these values; None if there is none, or a dimension is missing."""
        index = []
        for name, choices in self.choices.items():
            if values.get(name) not in choices:
                return None
            index.append(choices.index(values[name]))
        place = np.ravel_multi_index(tuple(index), self._shape)
        at = int(np.searchsorted(self._places, place))
        found = at < len(self._places) and self._places[at] == place
        return int(self._order[at]) if found else None


def plain(value: Any) -> Value:
    """A value of a dimension as other tools can store it: a list by stage becomes text."""
    if isinstance(value, (bool, int, float, str)):
        return value
    return written(value)
