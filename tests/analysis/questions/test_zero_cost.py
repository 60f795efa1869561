"""Scores of untrained networks against what training made of them."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from analysis.cards.zero_cost import zero_cost_card
from analysis.plots.zero_cost import draw_zero_cost
from analysis.questions.zero_cost import ALL, EQUAL, scored_ranks, shows
from analysis.runs.run import Run, RunError
from search.study.events import Status
from tests.analysis.made import made, network

SCORED = ("zero_cost.scores=[naswot, synflow]", "search.trials=12", "search.seeds=2")


def tried(folder: Path, *, use: float, seed: int = 0) -> Run:
    """Sixteen networks of two seeds, whose errors follow naswot so far, and synflow not at all.

    Width 1 to 4 at scale 1 to 4: many have partners of about their multiply-adds.
    """
    rng, rows = np.random.default_rng(seed), list[dict[str, Any]]()
    for place in range(16):
        worth = rng.normal(0, 3)
        shape = network(1 + place % 4, scale=1 + place // 4)
        for repeat in range(2):
            error = float(np.clip(50 - worth + rng.normal(0, 0.5), 1, 99))
            scores = {"naswot": use * worth + rng.normal(0, 1), "synflow": rng.normal()}
            rows.append(
                {"network": shape, "seed": repeat, "repeat": repeat, "val_error": error,
                 "test_error": error, "scores": {k: float(v) for k, v in scores.items()}}
            )  # fmt: skip
    return made(folder, rows, *SCORED)


def test_tau_is_scipy_s_of_means_over_seeds(tmp_path: Path) -> None:
    run = tried(tmp_path, use=1.0)
    found = scored_ranks(run).set_index(["among", "score"])
    means = run.trials.groupby("name", sort=False)[["naswot", "macs", "val_error_pct"]].mean()
    for score in ("naswot", "macs"):
        tau = stats.kendalltau(means[score], -means["val_error_pct"]).statistic
        assert found.loc[(ALL, score), "tau"] == pytest.approx(tau)
        assert found.loc[(ALL, score), "networks"] == 16
    assert found.loc[(ALL, "naswot"), "seconds"] == 0.5
    assert np.isnan(found.loc[(ALL, "macs"), "seconds"])
    low = found.loc[(ALL, "naswot"), ["low_all", "low", "tau"]].astype(float)
    assert low.is_monotonic_increasing, "that which holds for all rows is wider"


def test_a_score_that_follows_training_is_found_and_noise_is_not(tmp_path: Path) -> None:
    run = tried(tmp_path, use=3.0)
    card = zero_cost_card(run)
    said = " ".join(card.sentences)
    assert "naswot ranks 16 as training does by tau_b 0." in said
    assert "of synflow, params, macs: the data do not show any order in common" in said
    assert "naswot 0.50 s" in said
    assert not card.claims
    figure = draw_zero_cost(card.shown[0].table, title="known")
    drawn = {round(float(x), 9) for line in figure.axes[0].lines for x in line.get_xdata()}
    taus = card.shown[0].table["tau"].dropna()
    assert {round(float(tau), 9) for tau in taus} <= drawn


@pytest.mark.slow
def test_it_claims_nothing_of_noise(tmp_path: Path) -> None:
    """40 studies of scores that say nothing; all eight rows are held at 5 % at once.

    More than 8 studies that show something would come by chance once in 2,000.
    """
    shown, held = 0, []
    for seed in range(40):
        table = scored_ranks(tried(tmp_path / str(seed), use=0.0, seed=seed))
        shown += any(shows(row) for _, row in table.iterrows())
        known = table[table["low"].notna()]
        held += ((known["low"] <= 0) & (known["high"] >= 0)).tolist()
    assert shown <= 8
    # Rows of a study are alike: some 80 independent ones, of which 3 sigma are 7 %.
    assert np.mean(held) > 0.95 - 0.07


def test_networks_that_were_not_trained_are_said(tmp_path: Path) -> None:
    rows = [
        {"network": network(1 + n % 5, scale=1 + n // 5), "scores": {"naswot": float(n)}}
        | (
            {"val_error": 10.0 + n, "test_error": 10.0}
            if n < 9
            else {"status": Status.REJECTED}
        )
        for n in range(12)
    ]
    card = zero_cost_card(made(tmp_path, rows, *SCORED[:2]))
    assert "3 networks were rejected untrained" in card.shown[0].caption
    refused = card.shown[0].table.set_index(["among", "score"])["refused"]
    assert refused[ALL, "naswot"] == ""
    assert refused[EQUAL, "synflow"] != "", "it never was a number"


def test_what_was_not_scored_is_refused(tmp_path: Path) -> None:
    rows = [{"network": network(1), "val_error": 9.0, "test_error": 9.0}]
    with pytest.raises(RunError, match=r"run it with zero_cost: \{\}"):
        scored_ranks(made(tmp_path / "none", rows))
    assert (
        "1 network(s) were scored"
        in zero_cost_card(made(tmp_path / "few", rows, *SCORED)).refused
    )
