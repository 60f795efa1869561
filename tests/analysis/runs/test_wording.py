"""One is not written as many, and no p value is 0."""

import pytest

from analysis.cards.card import P_VALUE, Column
from analysis.runs.wording import how_many, how_many_each, p_words


def test_counts_have_their_noun() -> None:
    assert [how_many(n, "trial") for n in (0, 1, 2, 1200)] == [
        "0 trials", "1 trial", "2 trials", "1,200 trials"
    ]  # fmt: skip
    assert [how_many_each(n, "seed") for n in ([1], [3, 3], [3, 1, 2])] == [
        "1 seed", "3 seeds", "1 to 3 seeds"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("p", "said", "cell"),
    [
        (0.035, "p 0.035", "0.0350"),
        (0.001, "p 0.001", "0.0010"),
        (1e-9, "p < 0.001", "< 0.0001"),
    ],
)
def test_no_p_is_0(p: float, said: str, cell: str) -> None:
    assert p_words(p) == said
    assert Column("p", "p", P_VALUE).written(p) == cell
