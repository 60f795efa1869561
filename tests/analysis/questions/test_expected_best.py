"""The expected best of a run against every choice of its networks."""

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from analysis.cards.expected_best import expected_best
from analysis.plots.expected_best import draw_expected_best
from analysis.questions.expected_best import expected
from analysis.runs.run import RunError
from tests.analysis.made import made, network, seeded
from tests.analysis.questions.test_sampling import tried


def test_seeds_are_averaged_and_choices_counted(tmp_path: Path) -> None:
    """Means of the three networks: 31.5, 22 1/6 and 50 1/3."""
    run = made(tmp_path, seeded(), "search.seeds=3", "search.trials=3")
    found = expected(run, rng=np.random.default_rng(0))
    means = (31.5, 66.5 / 3, 151 / 3)
    every = [np.mean([min(c) for c in combinations(means, k)]) for k in (1, 2, 3)]
    assert found["k"].tolist() == [1, 2, 3]
    assert found["expected"].to_numpy() == pytest.approx(every)
    assert found["low"].isna().all(), "a tenth of three networks is none"


def test_of_a_metric_that_is_to_be_large_the_best_is_the_largest(tmp_path: Path) -> None:
    rows = [
        {"network": network(1 + w % 5, scale=1 + w // 5), "metrics": {"val_score": w / 10}}
        for w in range(20)
    ]
    run = made(tmp_path, rows, "task=tests.analysis.foreign:Scored")
    found = expected(run, rng=np.random.default_rng(0))
    assert found["expected"].iloc[-1] == pytest.approx(1.9)
    assert found["expected"].is_monotonic_increasing
    known = found[found["low"].notna()]
    assert known["k"].tolist() == [1, 2]
    assert (known["low"] < known["expected"]).all()
    assert (known["expected"] < known["high"]).all()
    line = draw_expected_best(found, run.ranking, title="known").axes[0].lines[-1]
    assert list(line.get_ydata()) == found["expected"].tolist()


@pytest.mark.parametrize("overrides", [(), ("search.sampler=random", "search.trials=12")])
def test_where_all_candidates_were_tried_there_is_no_band(
    overrides: tuple[str, ...], tmp_path: Path
) -> None:
    run = tried(tmp_path, *overrides)
    assert expected(run, rng=np.random.default_rng(0))["low"].isna().all()
    assert "All candidates of the space were tried" in expected_best(run).shown[0].caption


@pytest.mark.parametrize(
    ("overrides", "shapes", "reason"),
    [
        (("search.sampler=tpe", "search.trials=12"), [(1, 1), (2, 1)], "tpe, which looks at"),
        (
            ("search.sampler=random", "search.trials=12"),
            [(1, 1)],
            "1 was trained whole and lost no seed, and it",
        ),
    ],
)
def test_what_has_no_expectation_is_refused(
    overrides: tuple[str, ...], shapes: list[tuple[int, int]], reason: str, tmp_path: Path
) -> None:
    run = tried(tmp_path, *overrides, shapes=shapes)
    with pytest.raises(RunError, match=reason):
        expected(run, rng=np.random.default_rng(0))
