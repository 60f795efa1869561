"""Non-dominated ranks and crowding against their definitions, written out."""

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from search.schedulers.ranks import Ranks, Row, row_of
from search.schedulers.weights import scalarized, weights_of
from search.schema.metrics import COUNTED, Objective

ROWS = st.integers(1, 3).flatmap(
    lambda m: st.lists(st.tuples(*[st.integers(0, 6).map(float)] * m), min_size=1, max_size=25)
)


def dominates(one: Row, other: Row) -> bool:
    pairs = list(zip(one, other, strict=True))
    return all(a <= b for a, b in pairs) and any(a < b for a, b in pairs)


def fronts(rows: list[Row]) -> list[int]:
    """By definition: take away all that nobody left dominates, again and again."""
    ranks, left, rank = {}, set(range(len(rows))), 0
    while left:
        front = {i for i in left if not any(dominates(rows[j], rows[i]) for j in left)}
        ranks |= dict.fromkeys(front, rank)
        left, rank = left - front, rank + 1
    return [ranks[i] for i in range(len(rows))]


def crowding(rows: list[Row]) -> list[float]:
    """By definition (Deb et al., 2002)."""
    spread = [0.0] * len(rows)
    for m in range(len(rows[0])):
        order = sorted(range(len(rows)), key=lambda i: rows[i][m])
        width = rows[order[-1]][m] - rows[order[0]][m]
        spread[order[0]] = spread[order[-1]] = math.inf
        for k in range(1, len(order) - 1):
            if width:
                spread[order[k]] += (rows[order[k + 1]][m] - rows[order[k - 1]][m]) / width
    return spread


def keys(rows: list[Row]) -> list[tuple[float, ...]]:
    """What rows are ordered by: the lower, the better."""
    if len(rows[0]) == 1:
        return list(rows)
    ranks = fronts(rows)
    found: list[tuple[float, ...]] = [()] * len(rows)
    for rank in set(ranks):
        members = [i for i in range(len(rows)) if ranks[i] == rank]
        for i, spread in zip(members, crowding([rows[i] for i in members]), strict=True):
            found[i] = (rank, -round(spread, 9))
    return found


@settings(max_examples=75, deadline=None, derandomize=True)
@given(ROWS)
def test_rows_are_ordered_as_their_definition_says(rows: list[Row]) -> None:
    ranks = Ranks(len(rows[0]))
    for count, row in enumerate(rows, 1):
        better = ranks.better(row)
        ranks.add(row)
        defined = keys(rows[:count])
        assert better == sum(key < defined[-1] for key in defined[:-1])
    expected = sorted(range(len(rows)), key=lambda i: (defined[i], i))
    assert [defined[i] for i in ranks.best_first()] == [defined[i] for i in expected]


def test_losses_are_in_the_order_of_the_objectives() -> None:
    accuracy = Objective("val_accuracy", "maximize", "reported", "%")
    known = {"macs": 5.0, "val_accuracy": 70.0, "train_loss": 1.0}
    assert row_of([accuracy, COUNTED["macs"]], known) == (-70.0, 5.0)


def test_every_point_of_a_front_is_the_best_for_some_weights() -> None:
    """Also on a concave front, where no weighted sum finds those in the middle."""
    angles = np.linspace(0, np.pi / 2, 7)
    front = np.column_stack([np.cos(angles), np.sin(angles)])
    rows = np.vstack([front, front * 1.1])
    found = {int(scalarized(rows, choice).argmin()) for choice in range(200)}
    assert found == set(range(7))


def test_weights_are_spread_evenly() -> None:
    """The first of two weights is uniform: each tenth of its range has about a tenth."""
    weights = np.array([weights_of(choice, 2) for choice in range(1000)])
    assert np.allclose(weights.sum(axis=1), 1)
    assert np.histogram(weights[:, 0], bins=10, range=(0, 1))[0].min() > 50
    assert np.histogram(weights[:, 0], bins=10, range=(0, 1))[0].max() < 200
