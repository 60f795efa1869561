"""What a dimension buys more in a second study: changes that are known, and what is refused."""

from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from analysis.cards.changed import changed_card
from analysis.cards.deck import cards_of_runs
from analysis.questions.changed import changed
from analysis.questions.equal_size import comparisons
from analysis.questions.series import points
from analysis.runs.run import Run, RunError, read_run
from search.design.contrasts import ALL_SIZES
from search.study.events import Started
from tests.analysis.questions.test_series import dimension, known, noisy
from tests.analysis.studied import FIG5, write_run

OTHER_RATE = FIG5.replace("epochs: ", "lr: 0.05, epochs: ")
LONGER = FIG5.replace("epochs: ", "epochs: 1")


def grown(started: Started) -> float:
    """Every network is 10 points better, and those along scale another 2, but for luck."""
    return known(started, noise=0.3) - 10 - 2 * (dimension(started) == "scale")


def test_a_known_change_is_found_and_what_all_gain_alike_is_none(tmp_path: Path) -> None:
    first = read_run(write_run(tmp_path / "a", noisy))
    second = read_run(write_run(tmp_path / "b", grown, text=LONGER))
    found = changed(first, second)
    whole = found.compared[found.compared["label"] == ALL_SIZES]
    assert found.same_seeds
    assert found.alone == 0
    for row in whole.itertuples():
        assert row.low < 2 < row.high
        assert row.p_all < 0.001
    slopes = found.compared[found.compared["kind"] == "slope"].set_index(["of", "against"])
    for of in ("cardinality", "depth"):
        row = slopes.loc[(of, "")]
        assert row["low_all"] < 0 < row["high_all"]


def test_it_is_the_difference_of_what_each_study_says(tmp_path: Path) -> None:
    other_seeds = LONGER.replace("seeds: 4", "seeds: 4, seed: 5")
    runs = [
        read_run(write_run(tmp_path / "a", noisy)),
        read_run(write_run(tmp_path / "b", grown, text=other_seeds)),
    ]
    assert changed_card(runs).sentences[0].endswith("the same network and different seeds.")
    own = [comparisons(points(run), analysis=run.plan.analysis) for run in runs]
    both = changed(*runs).compared
    assert both[["kind", "label", "size"]].equals(own[0][["kind", "label", "size"]])
    assert both["difference"].to_numpy() == pytest.approx(
        (own[1]["difference"] - own[0]["difference"]).to_numpy()
    )


def test_the_report_of_two_studies_says_it(tmp_path: Path) -> None:
    runs = [
        read_run(write_run(tmp_path / "a", noisy)),
        read_run(write_run(tmp_path / "b", grown, text=LONGER)),
    ]
    (card,) = (one for one in cards_of_runs(runs) if one.name == "changed")
    said = [one for one in card.claims if one.startswith("Scale minus depth, at equal mult")]
    assert len(said) == 1
    assert said[0].endswith("it buys more in the second.")
    assert card.sentences[0].endswith("for the same network and the same seeds.")
    assert [one.name for one in card.shown] == [
        "changed-1-params", "changed-1-macs", "changed-1-slopes"
    ]  # fmt: skip


def test_the_same_trials_do_not_change(tmp_path: Path) -> None:
    run = read_run(write_run(tmp_path, noisy))
    with pytest.raises(RunError, match="64 trials of both are the same"):
        changed(run, run)
    assert "the same" in changed_card([run, run]).refused


def deeper(started: Started) -> float:
    """As `noisy`, but along depth another training, which is luckier and 2 points better."""
    error = noisy(started)
    if "29_" in started.name:  # as deep as the base
        return error
    luck = np.random.default_rng(started.seed % 2**32 + started.macs).normal(0, 0.5)
    return error - 2 + float(luck)


def test_networks_with_the_same_trials_in_both_lend_the_others_no_certainty(
    tmp_path: Path,
) -> None:
    first = read_run(write_run(tmp_path / "a", noisy))
    second = read_run(write_run(tmp_path / "b", deeper, text=OTHER_RATE))
    found = changed(first, second)
    depth = {name for name in points(first)["name"] if name not in found.fixed}
    assert len(found.fixed) == 11
    assert len(depth) == 5
    rows = found.compared[found.compared["label"] == ALL_SIZES].set_index(["against", "size"])
    assert {against for against, _ in rows.index} == {"depth"}
    row = rows.loc[("depth", "macs")]
    assert row["low"] < -2 < row["high"]
    sums = by_seed(first, second, "depth")
    of_depth = found.compared["kind"].eq("slope") & found.compared["of"].eq("depth")
    slope = found.compared[of_depth].iloc[0]
    theirs = stats.ttest_1samp(sums, 0.0).confidence_interval(0.95)
    assert (slope["low"], slope["high"]) == pytest.approx(tuple(theirs))
    assert slope["high_all"] - slope["low_all"] > 1.5 * (slope["high"] - slope["low"])
    (card,) = (one for one in cards_of_runs([first, second]) if one.name == "changed")
    assert card.sentences[1].startswith("Of 11 networks both have the same trials")
    assert "from the spread of one sum for each seed" in card.shown[0].caption
    assert "simultaneous intervals of Bonferroni" in card.shown[0].caption


def by_seed(first: Run, second: Run, of: str) -> list[float]:
    """The change of a slope in each seed: least squares of a line, done for each alone."""
    a, b = points(first), points(second)
    both = a.merge(b, on=["name", "repeat"])
    mine = both[both["series_x"].isin([of, "base"])]
    return [
        float(np.polyfit(np.log2(rows["macs_x"]), rows["score_y"] - rows["score_x"], 1)[0])
        for _, rows in mine.groupby("repeat")
    ]


def test_a_study_whose_trials_are_all_in_the_other_did_not_change(tmp_path: Path) -> None:
    first = read_run(write_run(tmp_path / "a", noisy))
    second = read_run(write_run(tmp_path / "b", noisy, text=OTHER_RATE))
    with pytest.raises(RunError, match="the same trials of every network"):
        changed(first, second)


def test_studies_of_other_images_are_refused(tmp_path: Path) -> None:
    first = read_run(write_run(tmp_path / "a", noisy))
    second = read_run(
        write_run(tmp_path / "b", grown, text=FIG5.replace("cifar100", "cifar10"))
    )
    with pytest.raises(RunError, match="saw different data sets"):
        changed(first, second)
