"""Which confirmations are compared, where there are several lengths."""

import pytest

from search.study.confirmation import compared_epochs

A5, A9, B5, B9 = ("a", 5), ("a", 9), ("b", 5), ("b", 9)


@pytest.mark.parametrize(
    ("whole", "ended", "seeds", "epochs"),
    [([], [], None, 0),
     ([A5], [A5], 3, 5),
     ([A5, A5, A9], [A5, A5, A9], 2, 5),
     ([A5, A5, A9, A9], [A5, A5, A9, A9], 2, 9),
     ([A5, A9], [A5, A5, A9, A9], 2, 9),  # a failed seed counts as run
     ([A5, B5, A9], [A5, B5, A9], 1, 5),
     ([A5, A9, B9], [A5, A9, B9], 1, 9),
     ([A5, A5, A9], [A5, A5, A9], 3, 5),  # none is complete: the most networks, then trials
     ([A5, A9, A9], [A5, A9, A9, ("c", 9)], 3, 9)],
)  # fmt: skip
def test_the_longest_that_has_every_seed(
    whole: list[tuple[str, int]], ended: list[tuple[str, int]], seeds: int | None, epochs: int
) -> None:
    assert compared_epochs(whole, ended, seeds=seeds) == epochs
