"""Which dimension matters: laws that are known, and refusals where it would mislead."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.cards.importance import importance_card
from analysis.questions.distribution import distributions
from analysis.questions.importance import importance
from analysis.runs.run import RunError, read_run
from search.study.events import Started
from tests.analysis.studied import write_run

SPACE = """\
# Which dimension matters?
study: known
network:
  depth: [20, 29, 38]
  cardinality: [1, 2, 4]
  scale: [1, 2, 3]
  width: [4, 8, 16]
data: {name: cifar100, validation: 5000}
training: {epochs: 2}
search: {sampler: random, trials: 40}
"""


def by_scale(started: Started) -> float:
    """Scale accounts for nearly all, cardinality for a little, the rest for nothing."""
    network = started.network()
    assert isinstance(network.scale, int)
    assert isinstance(network.cardinality, int)
    luck = float(np.random.default_rng(started.macs).normal(0, 0.1))
    return 50 - 4 * network.scale + 0.3 * network.cardinality + luck


def test_the_dimension_that_makes_the_errors_is_found(tmp_path: Path) -> None:
    run = read_run(write_run(tmp_path, by_scale, text=SPACE))
    table = importance(run, rng=np.random.default_rng(0), resamples=8)
    for evaluator in ("fANOVA", "PED-ANOVA"):
        rows = table[table["evaluator"] == evaluator].set_index("dimension")
        assert set(rows.index) == {"depth", "width", "scale", "cardinality"}
        assert rows.index[0] == "scale"
    fanova = table[table["evaluator"] == "fANOVA"].set_index("dimension")["share"]
    # Of variances 16 * 2/3, 0.09 * 14/9 and 0.01 of luck; the shares leave luck aside.
    assert fanova["scale"] == pytest.approx(10.667 / (10.667 + 0.14), abs=0.01)
    assert ((table["low"] <= table["share"]) & (table["share"] <= table["high"])).all()
    assert not table.attrs["warning"]
    again = importance(run, rng=np.random.default_rng(0), resamples=8)
    pd.testing.assert_frame_equal(table, again)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("sampler: random", "sampler: tpe", "its sampler was tpe, which looks at results"),
        ("sampler: random, trials: 40", "sampler: axes", "no combinations to explain"),
        (
            "trials: 40",
            "trials: 11",
            "11 networks were trained whole and lost no seed, and it takes 12",
        ),
        (
            "search:",
            "scheduler: {name: asha, grace: 1}\nsearch:",
            "trials were stopped early",
        ),
    ],
)
def test_where_it_would_mislead_it_is_refused_unless_asked(
    tmp_path: Path, old: str, new: str, reason: str
) -> None:
    text = SPACE.replace(old, new)
    run = read_run(write_run(tmp_path, by_scale, text=text))
    with pytest.raises(RunError, match=reason):
        importance(run, rng=np.random.default_rng(0))
    if "axes" not in new:
        if "trials: 11" not in new:
            with pytest.raises(RunError, match=f"no sample of the space: .*{reason}"):
                distributions(run, rng=np.random.default_rng(0))
        table = importance(run, rng=np.random.default_rng(0), resamples=2, anyway=True)
        assert reason in table.attrs["warning"]


def test_equal_errors_and_no_trials_are_refused(tmp_path: Path) -> None:
    equal = read_run(write_run(tmp_path / "a", lambda _: 50.0, text=SPACE))
    with pytest.raises(RunError, match="all networks have the same validation error"):
        importance(equal, rng=np.random.default_rng(0))
    nothing = read_run(write_run(tmp_path / "b", lambda _: None, text=SPACE))
    for anyway in (False, True):
        with pytest.raises(RunError, match="0 networks were trained whole"):
            importance(nothing, rng=np.random.default_rng(0), anyway=anyway)


def test_noise_has_no_importance(tmp_path: Path) -> None:
    """Shares add up to 1 of noise too: of thirty networks of luck alone width had 0.48."""

    def luck(started: Started) -> float:
        return 50 + float(np.random.default_rng(started.macs).normal())

    run = read_run(write_run(tmp_path, luck, text=SPACE.replace("trials: 40", "trials: 30")))
    with pytest.raises(RunError, match="explain nothing that luck would not: from all others"):
        importance(run, rng=np.random.default_rng(0))
    table = importance(run, rng=np.random.default_rng(0), resamples=2, anyway=True)
    assert "explain nothing" in table.attrs["warning"]
    assert importance_card(run).refused


def test_how_much_is_explained_is_said(tmp_path: Path) -> None:
    run = read_run(write_run(tmp_path, by_scale, text=SPACE))
    table = importance(run, rng=np.random.default_rng(0), resamples=2)
    found = table.attrs["explained"]
    assert found.r2 > 0.7
    assert found.p == pytest.approx(0.001)
    assert found.networks == 40
