"""One dimension at a time: the design of Fig. 5, and the same at constant cost."""

import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from search.run import main
from search.samplers.ordered import axes
from search.schema.yaml import ConfigError
from search.space.survey import Survey, survey
from tests.search.spaces import TINY, load, plan_of, write

REFERENCE = Path(__file__).parents[2] / "reference" / "fig5.csv"
FIG5 = """\
study: fig5
network:
  depth: [29, 56, 83, 110, 137, 164]
  cardinality: [6, 12, 18, 24, 30, 36]
  scale: [1, 2, 3, 4, 5, 6]
  width: 24
data: {name: cifar100, validation: 5000}
training: {epochs: 60}
search: {sampler: axes}
"""
AXES = TINY.replace("sampler: random, trials: 3", "sampler: axes")


def networks(survey: Survey) -> list[tuple[int, ...]]:
    """Depth, cardinality, width and scale of each candidate, in order."""
    rows = []
    for candidate in range(len(survey)):
        network = survey.architecture(candidate)
        dims = (network.layers, network.cardinality, network.width, network.scale)
        rows.append(tuple(int(number) for number in dims))  # type: ignore[arg-type]  # one each
    return rows


def test_the_sixteen_networks_of_fig_5(tmp_path: Path) -> None:
    surveyed = survey(plan_of(tmp_path, FIG5))
    with REFERENCE.open(encoding="utf-8") as file:
        printed = list(csv.DictReader(file))
    expected = {
        tuple(int(row[key]) for key in ("depth", "cardinality", "width", "scale")): row
        for row in printed
    }
    assert set(networks(surveyed)) == expected.keys()
    for candidate, network in enumerate(networks(surveyed)):
        counted = surveyed.cost(candidate)
        row = expected[network]
        assert counted.params / 1e6 == pytest.approx(
            float(row["params_m_100_classes"]), abs=1e-3
        )
        assert counted.macs / 1e9 == pytest.approx(float(row["gmacs"]), abs=1e-3)


def test_the_base_may_be_any_network_of_the_space(tmp_path: Path) -> None:
    text = FIG5.replace("axes}", "axes, base: {scale: 4, depth: [6, 6, 6]}}")
    base = (56, 6, 24, 4)
    for network in networks(survey(plan_of(tmp_path, text))):
        assert sum(a != b for a, b in zip(network, base, strict=True)) <= 1


def test_what_is_solved_spends_most_of_the_budget(tmp_path: Path) -> None:
    """Against the whole grid, gone through one network at a time."""
    budget = "budget: {macs: {max: 3.0G}}\ndata:"
    text = FIG5.replace("data:", budget)
    grid = survey(plan_of(tmp_path, text.replace("axes", "grid")))
    every = list(zip(networks(grid), grid.costs.macs.tolist(), strict=True))
    solved = survey(plan_of(tmp_path, text.replace("axes}", "axes, solve: depth}")))
    expected = set()
    for cardinality in (6, 12, 18, 24, 30, 36):
        for scale in (1, 2, 3, 4, 5, 6):
            same = [(macs, n) for n, macs in every if n[1] == cardinality and n[3] == scale]
            if (cardinality == 6 or scale == 1) and same:
                expected.add(max(same)[1])
    assert set(networks(solved)) == expected
    assert solved.rejected["another depth spends more of the budget"] > 0


def test_filled_width_holds_the_cost_constant(tmp_path: Path) -> None:
    text = FIG5.replace("width: 24", "width: fill").replace(
        "data:", "budget: {macs: {max: 2.0G, min: 1.9G}}\ndata:"
    )
    surveyed = survey(plan_of(tmp_path, text))
    assert len(surveyed) > 6
    assert (surveyed.costs.macs > 1.9e9).all()
    assert (surveyed.costs.macs <= 2.0e9).all()
    assert len(np.unique(surveyed.widths)) > 3


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    scale=st.sampled_from([1, 2, 3]),
    width=st.sampled_from([1, 2, 3]),
    most=st.integers(30, 600),
    solve=st.sampled_from(["", "scale", "width", "depth", "cardinality"]),
)
def test_all_that_is_kept_is_in_the_budget_and_on_an_axis(
    tmp_path: Path, scale: int, width: int, most: int, solve: str
) -> None:
    base = {"depth": 11, "cardinality": 1, "width": width, "scale": scale}
    given = {"scale": scale, "width": width}
    given.pop(solve, None)
    options = f"axes, base: {{{', '.join(f'{k}: {v}' for k, v in given.items())}}}"
    text = AXES.replace("axes", options + (f", solve: {solve}" if solve else ""))
    try:
        plan = plan_of(tmp_path, text.replace("{max: 300K, min: 20K}", f"{{max: {most}K}}"))
    except ConfigError:  # nothing fits, or not even the base
        return
    surveyed = survey(plan)
    others = []
    for candidate, network in enumerate(networks(surveyed)):
        assert surveyed.cost(candidate).macs <= most * 1000
        named = dict(zip(base, network, strict=True))
        away = [name for name in base if name != solve and named[name] != base[name]]
        assert len(away) <= 1
        others.append(tuple(named[name] for name in base if name != solve))
        assert surveyed.candidate(surveyed.architecture(candidate)) == candidate
    assert not solve or len(set(others)) == len(others), "solved once for each"
    assert surveyed.total == len(surveyed) + sum(surveyed.rejected.values())


@pytest.mark.parametrize(
    ("written", "message"),
    [
        (
            "axes, base: {scale: 7}",
            r":13: search.base.scale: 7 is not among the values of network.scale \(1, 2, 3\)",
        ),
        ("axes, base: {depth: 30}", r":13: search.base.depth: 30 is not among"),
        ("axes, solve: depth, base: {depth: 11}", r":13: search.base.depth: 11 has no effect"),
        ("axes, base: {scales: 1}", r":13: search.base.scales: .*did you mean 'scale'"),
        ("axes, solve: planes", r":13: search.solve: 'planes'"),
        (
            "grid, solve: width",
            r":13: search.solve: .width. is only for the samplers axes",
        ),
        (
            "grid, base: {scale: 1}",
            r":13: search.base: is only for the samplers axes and isomacs",
        ),
        ("random", r":13: search.trials: is missing; add it"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, written: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load(write(tmp_path, AXES.replace("axes", written)))


def test_nothing_to_solve_is_named(tmp_path: Path) -> None:
    text = AXES.replace("axes", "axes, solve: width").replace("width: [1, 2, 3]", "width: 2")
    with pytest.raises(ConfigError, match=r":13: search.solve: has nothing to choose from"):
        load(write(tmp_path, text))
    filled = AXES.replace("axes", "axes, solve: scale").replace(
        "width: [1, 2, 3]", "width: fill"
    )
    with pytest.raises(
        ConfigError, match=r":13: search.solve: 'scale' has no effect with width"
    ):
        load(write(tmp_path, filled))


def test_the_base_comes_first_and_must_be_inside_the_budget(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = FIG5.replace("axes}", "axes, base: {scale: 4}}")
    surveyed = survey(plan_of(tmp_path, text))
    sampler = axes(surveyed, seed=0, objectives=())
    assert surveyed.architecture(sampler.propose(0)).name == "res2next29_6c24w4s"
    text = FIG5.replace("data:", "budget: {macs: {min: 2.0G}}\ndata:")
    assert main([str(write(tmp_path, text)), "--plan"]) == 2
    message = capsys.readouterr().err
    assert "search.base: the network where the axes meet" in message
    assert "cardinality 6" in message
    assert "is outside the budget" in message


def test_the_record_says_where_the_axes_meet(tmp_path: Path) -> None:
    base = plan_of(tmp_path, FIG5).search.base
    assert (base.depth, base.cardinality, base.scale, base.width, base.se) == (
        29,
        6,
        1,
        24,
        False,
    )
    solved = plan_of(
        tmp_path,
        FIG5.replace("axes}", "axes, solve: depth}").replace(
            "data:", "budget: {macs: {max: 3G}}\ndata:"
        ),
    )
    assert solved.search.base.depth is None


def test_solving_needs_a_limit(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"search.solve: 'depth' needs a limit to spend"):
        plan_of(tmp_path, FIG5.replace("axes}", "axes, solve: depth}"))
