"""Forecasts from runs: of one recipe, scored where the budget was run, refused elsewhere."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from analysis.cards.forecast import forecast_card
from analysis.forecast import main
from analysis.pages.compare_page import compare_page
from analysis.questions.forecast import budgets, forecasts, uneven
from analysis.runs.run import Run, RunError, read_run
from analysis.scaling.points import Refusal
from res2net import cost
from tests.analysis.made import made, network, parsed

SPACE = """\
study: {name}
network: {{planes: 2, depth: [11, 20], scale: [1, 2, 3, 4], width: {{from: 1, to: 80}}}}
data: {{name: synthetic, validation: 64}}
training: {{epochs: 1, batch_size: 32, lr: 0.1, precision: fp32}}
search: {{sampler: random, trials: 24}}
"""
WIDTHS = (8, 13, 20, 27)


def searched(folder: Path, width: int, *overrides: str, n: int = 12, seed: int = 0) -> Run:
    """Networks near a width, whose error is a power law of multiply-adds and some more."""
    rng = np.random.default_rng(seed + width)
    rows = []
    for i in range(n):
        one = network(width + i // 2, scale=1 + i % 2)
        macs = cost(one, image_size=32).macs
        error = 8 + 30 * (macs / 1e5) ** -0.3 + 0.3 * rng.gamma(2)
        rows.append(
            {
                "network": one,
                "seed": seed,
                "val_error": error,
                "test_error": 50.0,
                "curve": [50.0],
            }
        )
    return made(folder, rows, *overrides, text=SPACE.format(name=folder.name))


@pytest.fixture(scope="module")
def four(tmp_path_factory: pytest.TempPathFactory) -> list[Run]:
    folder = tmp_path_factory.mktemp("four")
    return [searched(folder / f"w{width}", width) for width in WIDTHS]


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_the_largest_is_foretold_from_the_others_alone(four: list[Run]) -> None:
    """Whatever the largest run found, the forecast of its budget is the same."""
    ran = budgets(four)
    table = forecasts(four, rng=rng())
    scored, ahead = (table[table["macs"] == at] for at in (ran[-1].macs, 2 * ran[-1].macs))
    best = four[-1].whole()["val_error_pct"].min()
    row = scored[scored["what"] == "error"].iloc[0]
    assert row["found"] == pytest.approx(best)
    assert row["inside"]
    assert row["off"] == pytest.approx(best - row["estimate"])
    assert row["budgets"] == 3
    without = forecasts(four[:3], macs=ran[-1].macs, rng=rng())
    same = without[without["what"] == "error"].iloc[0]
    assert [same["low"], same["high"]] == [row["low"], row["high"]]
    assert ahead["found"].isna().all()
    assert ahead.iloc[0]["budgets"] == 4
    assert set(table["what"]) == {"error", "width", "scale"}


def test_runs_of_one_budget_are_taken_together(four: list[Run], tmp_path: Path) -> None:
    again = searched(tmp_path / "again", WIDTHS[0], seed=5)
    ran = budgets([*four, again])
    assert len(ran) == 4
    assert [run.name for run in ran[0].runs] == ["w8", "again"]
    alike = {*four[0].whole()["name"]} & {*again.whole()["name"]}
    assert len(ran[0].networks) == 24 - len(alike)
    assert ran[0].networks["seeds"].sum() == 24, "a network of both has a seed of each"
    for name in alike:
        (row,) = ran[0].networks[ran[0].networks["name"] == name].to_dict("records")
        values = [
            one.whole().set_index("name").loc[name, "val_error_pct"] for one in ran[0].runs
        ]
        assert row["val"] == pytest.approx(np.mean(values))


def test_a_copy_of_a_run_makes_no_forecast_surer(four: list[Run], tmp_path: Path) -> None:
    copies = [read_run(Path(shutil.copytree(one.folder, tmp_path / one.name))) for one in four]
    ran = budgets([*four, *copies])
    assert [len(one.networks) for one in ran] == [12] * 4
    alone, doubled = (forecasts(runs, rng=rng()) for runs in (four, [*four, *copies]))
    assert doubled["low"].tolist() == pytest.approx(alone["low"].tolist())
    assert doubled["high"].tolist() == pytest.approx(alone["high"].tolist())


def test_searches_of_different_lengths_are_named(four: list[Run], tmp_path: Path) -> None:
    assert uneven(budgets(four)) == ()
    longer = searched(tmp_path / "longer", WIDTHS[3], n=24)
    card = forecast_card([*four[:3], longer])
    assert any("hold 12 to 24 networks" in one for one in card.sentences)


def test_the_card_says_the_score_and_claims_nothing(four: list[Run]) -> None:
    card = forecast_card(four)
    assert not card.claims
    assert "which was run, the validation error of the best network was" in card.sentences[0]
    assert "inside the 90 % interval" in card.sentences[0]
    assert card.shown[0].draw is not None
    assert len(card.shown[0].draw().axes[0].lines) >= 2


def test_budgets_that_double_not_quite_are_scored_too(tmp_path: Path) -> None:
    four = [searched(tmp_path / f"w{width}", width) for width in (8, 13, 20, 30)]
    ran = budgets(four)
    assert 2 < ran[-1].macs / ran[-2].macs < 2.2
    assert forecasts(four, rng=rng())["found"].notna().any()


def test_no_error_is_foretold_below_0(tmp_path: Path) -> None:
    runs = []
    for width, error in zip(WIDTHS, (9.0, 3.0, 0.4, 0.2), strict=True):
        noise = np.random.default_rng(width)
        rows = [
            {"network": network(width + i // 2, scale=1 + i % 2), "seed": 0, "curve": [50.0],
             "val_error": error * noise.gamma(3), "test_error": 50.0}
            for i in range(12)
        ]  # fmt: skip
        folder = tmp_path / f"w{width}"
        runs.append(made(folder, rows, text=SPACE.format(name=folder.name)))
    table = forecasts(runs, rng=rng())
    assert (table.loc[table["what"] == "error", ["estimate", "low", "high"]] >= 0).all(
        axis=None
    )


def test_curves_that_leave_the_percentages_are_refused(tmp_path: Path) -> None:
    runs = []
    for width, error in zip(WIDTHS, (40.0, 30.0, 18.0, 3.0), strict=True):
        rows = [
            {"network": network(width + i // 2, scale=1 + i % 2), "curve": [50.0],
             "val_error": error + i / 100, "test_error": 50.0}
            for i in range(12)
        ]  # fmt: skip
        runs.append(made(tmp_path / f"w{width}", rows, text=SPACE.format(name=f"w{width}")))
    with pytest.raises(Refusal, match=r"an impossible error at .*: they do not reach that far"):
        forecasts(runs, rng=rng())


def test_it_is_scored_as_it_is_shown(four: list[Run]) -> None:
    scored = forecasts(four, rng=rng()).dropna(subset="found")
    off, estimate = scored["found"] - scored["estimate"], scored["estimate"]
    assert scored["off"].to_numpy() == pytest.approx(off.to_numpy()), estimate
    within = (scored["low"] <= scored["found"]) & (scored["found"] <= scored["high"])
    assert (scored["inside"].astype(bool) == within).all()


def test_no_dimension_is_foretold_below_1(four: list[Run]) -> None:
    """However far it falls: the forms are straight lines of the logarithm."""
    table = forecasts(four, macs=1.9 * budgets(four)[-1].macs, rng=rng())
    of = table[table["what"] != "error"]
    assert (of[["estimate", "low", "high"]] >= 1).all(axis=None)


def test_mixed_or_few_runs_are_refused(four: list[Run], tmp_path: Path) -> None:
    recipe = searched(tmp_path / "recipe", 45, "training.lr=0.3")
    assert "trained by different recipes" in forecast_card([*four, recipe]).refused
    data = searched(tmp_path / "data", 45, "data.validation=32")
    assert "the runs saw different images" in forecast_card([*four, data]).refused
    length = searched(tmp_path / "length", 45, "training.epochs=2")
    assert "for different lengths" in forecast_card([*four, length]).refused
    few = searched(tmp_path / "few", 45, n=7)
    with pytest.raises(RunError, match="7 network\\(s\\) trained whole are fewer than 8"):
        forecasts([*four, few], rng=rng())
    with pytest.raises(Refusal, match="2 budgets are fewer than 3; run more budgets"):
        forecasts(four[:2], rng=rng())
    with pytest.raises(Refusal, match="2 budgets below it are fewer than 3"):
        forecasts(four[:3], macs=budgets(four)[2].macs, rng=rng())
    with pytest.raises(Refusal, match=r"a factor of 2\.2 beyond the budgets run"):
        forecasts(four, macs=3 * budgets(four)[-1].macs, rng=rng())


def test_a_metric_that_is_no_error_is_refused(tmp_path: Path) -> None:
    rows = [{"network": network(w), "metrics": {"val_score": w / 9}} for w in (1, 2)]
    run = made(tmp_path, rows, "task=tests.analysis.foreign:Scored")
    with pytest.raises(RunError, match="is no error in percent"):
        budgets([run])


def test_the_command_prints_sentences_or_json(
    four: list[Run], capsys: pytest.CaptureFixture[str]
) -> None:
    folders = [str(run.folder) for run in four]
    at = round(1.5 * budgets(four)[-1].macs)
    assert main([*folders, "--macs", str(at)]) == 0
    assert "is predicted to be" in capsys.readouterr().out
    assert main([*folders, "--macs", str(at), "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert rows[0]["macs"] == at
    assert rows[0]["found"] is None
    assert rows[0]["low"] < rows[0]["estimate"] < rows[0]["high"]
    assert main(folders[:2]) == 2
    assert "2 budgets are fewer than 3" in capsys.readouterr().err
    assert main([*folders, f"{folders[0]}/../{four[0].folder.name}"]) == 2
    assert "is named twice; name each run once" in capsys.readouterr().err
    assert main(["nowhere", "--macs", "1M"]) == 2
    with pytest.raises(SystemExit):
        main([*folders, "--macs", "much"])
    assert "much is not an amount above 0" in capsys.readouterr().err


def test_runs_without_a_network_in_common_have_a_page_of_their_cards(four: list[Run]) -> None:
    page = parsed(compare_page, four)
    assert "Networks are not compared one by one" in page.text["conclusion"]
    assert "which was run, the validation error of the best" in page.text["forecast"]
    assert page.tables["forecast-values"][0][0] == "multiply-adds"
    assert "networks" not in page.text
