"""--plan says what a study can show; --spread measures the spread in a run, or says why not."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from analysis.statistics.intervals import SHARED
from search.power_plan import PAIRS_LEVEL
from search.run import main
from search.schema.yaml import ConfigError
from search.space.survey import survey
from search.study import manifest
from search.study.journal import Journal
from search.study.measured import measured_spread
from search.study.study import Study
from tests.analysis.made import AXES, made, network
from tests.search.spaces import TINY, plan_of, write
from tests.search.study.test_tuned_again import report

ROOT = Path(__file__).parents[2]
FIG5, RAN = ROOT / "spaces/cifar_fig5_tiny.yaml", ROOT / "analysis/results/cifar_fig5_tiny"
SEEDS = "search.seeds=3"
NAMES = "{a: {Res2Net-11-2w-2s-2p: 1, ResNet-11-2w-2p: -1}}"


def shown(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    assert main([*map(str, arguments), "--plan"]) == 0
    printed = capsys.readouterr().out
    said = printed[printed.index("what it can show") :]
    assert all(len(line) <= 100 for line in said.splitlines() if not line.startswith("note"))
    return said


def trials(values: dict[int, list[float]]) -> list[dict[str, object]]:
    return [
        {"network": network(width), "seed": 10 + i, "repeat": i, "val_error": error}
        for width, errors in values.items()
        for i, error in enumerate(errors)
    ]


def test_what_the_plan_says_is_found_is_found_in_80_of_100_studies(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Studies of 16 networks and 4 seeds with as large a difference, estimated from scratch."""
    said = shown(capsys, FIG5, "--spread", RAN)
    sigma = float(re.search(r"spread between seeds is ([\d.]+), of 16 networks", said)[1])
    row = re.search(r"scale - depth, all sizes, params +([\d.]+) +15 +([\d.]+) +28", said)
    alone = float(row[1])
    weights = np.zeros(16)
    weights[:2] = np.sqrt(0.4199 / 2) * np.array([1, -1])  # its squares: an independent sum
    rng = np.random.default_rng(7)
    scores = sigma * rng.normal(size=(4000, 16, 4)) + rng.normal(size=(4000, 1, 4))
    estimates = scores.mean(axis=2) @ weights + alone
    rest = scores - scores.mean(axis=1, keepdims=True) - scores.mean(axis=2, keepdims=True)
    rest += scores.mean(axis=(1, 2), keepdims=True)
    errors = np.sqrt((rest**2).sum(axis=(1, 2)) / 45 * (weights**2).sum() / 4)
    found = (np.abs(estimates) > 2.0141 * errors).mean()  # t of 45 degrees of freedom, tables
    assert found == pytest.approx(0.8, abs=0.03)  # 4 sigma of 4,000, and d is rounded


def test_a_study_along_axes_plans_groups_and_slopes_at_both_sizes(
    capsys: pytest.CaptureFixture[str],
) -> None:
    said = shown(capsys, FIG5)
    for size in ("params", "macs"):
        assert f"scale - cardinality, all sizes, {size}" in said
        assert f"scale - depth, 3s and 4s, {size}" in said
    assert "scale - depth, MACs doubled" in said
    assert "the spread between seeds is not known: three are assumed" in said
    assert "for all 21 at once (Bonferroni)" in said
    of_depth = shown(capsys, FIG5, "--set", "analysis.of=depth")
    assert "depth - scale, all sizes, params" in of_depth
    assert "scale - " not in of_depth


def test_seeds_are_those_for_the_margin(capsys: pytest.CaptureFixture[str]) -> None:
    half = shown(capsys, FIG5)
    whole = shown(capsys, FIG5, "--set", "analysis.margin=1.0")
    assert "seeds: those that find 0.5 points; analysis: {margin: ...} sets" in half
    assert "seeds: those that find 1 points\n" in whole
    row = r"scale - depth, all sizes, params +([\d.]+) +(\d+)"
    assert re.search(row, half).groups() == ("0.37", "3")
    assert re.search(row, whole).groups() == ("0.37", "2")


def test_intervals_for_every_look_show_less(capsys: pytest.CaptureFixture[str]) -> None:
    fixed = shown(capsys, FIG5)
    always = shown(capsys, FIG5, "--set", "analysis.stopping=always_valid")
    assert "95 % intervals that hold at every look" in always
    row = r"scale - depth, all sizes, params +([\d.]+)"
    assert float(re.search(row, always)[1]) > 1.3 * float(re.search(row, fixed)[1])


def test_one_seed_shows_nothing_and_the_plan_says_what_to_write(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = shown(capsys, write(tmp_path))
    assert "search.seeds is 1: no difference between networks can be told from chance" in said
    assert "write search: {seeds: 2}, or as many as the table says" in said
    assert re.search(r"any two networks +nothing +14 ", said)


def test_your_own_contrasts_stand_in_the_plan(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path, f"{TINY}analysis: {{contrasts: {NAMES}}}\n")
    said = shown(capsys, path, "--set", SEEDS)
    pair, own = (re.search(rf"^{name} +([\d.]+)", said, re.M) for name in ("any two.*?", "a"))
    assert float(pair[1]) > float(own[1])  # 97.5 % intervals, where the other has 95 %
    assert "for all 4 at once" in said
    assert re.search(r"3 of \d+ candidates are tried: a contrast with a", said)
    every = shown(capsys, path, "--set", "search.sampler=grid", "--set", "search.trials=all")
    assert "candidates are tried" not in every


def test_pairs_off_axes_are_planned_as_the_report_compares_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    few = shown(capsys, write(tmp_path), "--set", "search.seeds=4")
    assert pytest.approx(SHARED) == 1 - PAIRS_LEVEL
    assert "of any two networks 97.5 %" in few
    assert "for all 3 at once" in few
    more = ("--set", "search.seeds=4", "--set", "search.trials=12")
    many = shown(capsys, write(tmp_path), *more)
    assert "any two networks: alone only; of more than 11 networks the report" in many
    assert "at once (" not in many


def test_of_axes_that_are_not_tried_whole_only_what_is_tried_is_planned(
    capsys: pytest.CaptureFixture[str],
) -> None:
    said = shown(capsys, FIG5, "--set", "search.trials=8")
    assert "only the base and the cheapest are tried, 8 of 16" in said
    every = shown(capsys, FIG5)
    assert "the cheapest are tried" not in every
    assert len(said.splitlines()) < len(every.splitlines())


def test_a_spread_of_nothing_is_refused(tmp_path: Path) -> None:
    values = {1: [30.0, 30.0], 2: [20.0, 20.0]}
    run = made(tmp_path / "run", trials(values), "search.seeds=2")
    with pytest.raises(
        ConfigError, match=r"the ranking metric is the same for all seeds .* give"
    ):
        measured_spread(run.folder, plan_of(tmp_path))


def test_one_network_is_compared_with_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = shown(capsys, write(tmp_path), "--set", "search.trials=1", "--set", SEEDS)
    assert "one network is trained: there is nothing to compare" in said


def test_stopped_networks_tell_no_spread(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = shown(capsys, write(tmp_path), "--set", "scheduler=asha", "--set", SEEDS)
    assert "asha: networks that it stops get no other seed" in said


def test_axes_too_short_for_equal_size_leave_slopes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = shown(capsys, write(tmp_path, AXES))
    assert "scale - cardinality, MACs doubled" in said


def test_what_spreads_is_measured_and_what_differs_is_said(tmp_path: Path) -> None:
    values = {1: [30.0, 31.0], 2: [20.0, 22.0], 3: [50.0, 51.5]}
    run = made(tmp_path / "run", trials(values), "training.epochs=2", "search.seeds=2")
    found = measured_spread(run.folder, plan_of(tmp_path))
    steps = np.array([1.0, 2.0, 1.5])  # one seed to the other: of two, each has half of it
    assert found.spread.sigma == pytest.approx(steps.std(ddof=1) / np.sqrt(2))
    assert (found.spread.df, found.spread.networks, found.spread.seeds) == (2, 3, 2)
    assert found.notes == (
        "trained differently from this study (epochs 2 there, 3 here): the spread may differ",
    )


def test_of_tuned_networks_only_the_tries_that_stand_tell_the_spread(tmp_path: Path) -> None:
    """Each has three tries, and one that is far off for the first network alone."""
    text = TINY.replace("lr: 0.1", "lr: [0.1, 0.2, 0.4]")
    text = text.replace("search: {", "search: {tune: [lr], seeds: 2, ")
    plan = plan_of(tmp_path, text)
    folder = tmp_path / "run"
    other = {0.1: 5.0, 0.2: 0.0, 0.4: 40.0}
    with Journal(folder) as journal:
        manifest.note(folder, plan, space=text, command=["search.run"])
        study = Study(plan, survey(plan), journal)
        while (started := study.next()) is not None:
            at = list(study.history.networks).index(started.name)
            error = 20 + at + other[started.tuned["lr"]] * (3 - at)
            report(study, started, error + started.repeat * (1, 2, 1.5)[at])
        assert study.finished
    steps = np.array([1.0, 2.0, 1.5])
    spread = measured_spread(folder, plan).spread
    assert spread.sigma == pytest.approx(steps.std(ddof=1) / np.sqrt(2))
    assert (spread.networks, spread.seeds) == (3, 2)


@pytest.mark.parametrize(
    ("overrides", "problem"),
    [
        (
            ("data.validation=32",),
            r"saw other images \(data.train: there 192, here 224; ",
        ),
        (("search.objectives=[val_error_top5]",), r"ranked by val_error, .* by val_error_top5"),
    ],
)
def test_a_run_of_other_images_or_another_metric_is_refused(
    tmp_path: Path, overrides: tuple[str, ...], problem: str
) -> None:
    run = made(tmp_path / "run", trials({1: [30.0, 31.0], 2: [20.0, 22.0]}), "search.seeds=2")
    with pytest.raises(ConfigError, match=problem):
        measured_spread(run.folder, plan_of(tmp_path, TINY, *overrides))


def test_what_says_nothing_of_chance_is_refused(tmp_path: Path) -> None:
    plan = plan_of(tmp_path)
    with pytest.raises(ConfigError, match=r"--spread .*nowhere: contains no run .*; give the"):
        measured_spread(tmp_path / "nowhere", plan)
    for name, values in {"one": {1: [30.0], 2: [20.0]}, "alone": {1: [1.0, 2.0]}}.items():
        run = made(tmp_path / name, trials(values))
        with pytest.raises(ConfigError, match=r"fewer than two of its networks share two"):
            measured_spread(run.folder, plan)


def test_a_spread_without_a_plan_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(FIG5), "--spread", str(RAN)]) == 2
    assert "--spread: needs --plan; give both, or leave it out" in capsys.readouterr().err


def test_a_plan_with_a_spread_imports_neither_torch_nor_ray() -> None:
    code = (
        "import sys; from search.run import main; code = main(sys.argv[1:]);"
        "print(sorted({'torch', 'ray', 'pandas'} & set(sys.modules))); sys.exit(code)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code, str(FIG5), "--plan", "--spread", str(RAN)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout.splitlines()[-1] == "[]"
