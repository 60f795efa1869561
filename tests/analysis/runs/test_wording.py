"""One is not written as many, and no p value is 0."""

import pytest

from analysis.cards.card import P_VALUE, Column
from analysis.runs.wording import p_words
from search.schema.wording import all_have_ended, have_ended, how_many, how_many_each


def test_counts_have_their_noun() -> None:
    assert [how_many(n, "trial") for n in (0, 1, 2, 1200)] == [
        "0 trials", "1 trial", "2 trials", "1,200 trials"
    ]  # fmt: skip
    assert [how_many_each(n, "seed") for n in ([1], [3, 3], [3, 1, 2])] == [
        "1 seed", "3 seeds", "1 to 3 seeds"
    ]  # fmt: skip


def test_one_has_ended_and_several_have() -> None:
    assert [have_ended(n, planned=40) for n in (0, 1, 7)] == [
        "0 of 40 trials have ended", "1 of 40 trials has ended", "7 of 40 trials have ended"
    ]  # fmt: skip
    assert have_ended(1, planned=1) == "1 of 1 trial has ended"
    assert [have_ended(n) for n in (1, 2)] == ["1 trial has ended", "2 trials have ended"]
    assert all_have_ended(1, study="tiny") == "the only trial of tiny has ended"
    assert all_have_ended(4) == "all 4 trials have ended"


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
