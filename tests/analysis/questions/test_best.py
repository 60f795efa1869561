"""The best of many: survivors rank last, luck is taken out, fresh seeds are quoted."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analysis.cards.best import best_card
from analysis.pages.findings import findings
from analysis.pages.run_figures import networks_table
from analysis.questions.best import best_networks, chosen, probability_words
from analysis.questions.confirmed import fresh
from analysis.runs.networks import by_network, networks
from analysis.runs.run import Run, RunError, read_run
from analysis.runs.scores import lower_is_better
from search.study.events import Started, Status
from tests.analysis.made import made, network
from tests.analysis.studied import write_run


def studied(folder: Path, rng: np.random.Generator, *, count: int, spread: float = 0.0) -> Run:
    """So many networks with three seeds, whose test errors share the luck of the seed."""
    rows: list[dict[str, Any]] = []
    for width in range(1, count + 1):
        true = 40 + spread * rng.normal()
        for seed in range(3):
            luck = rng.normal()
            rows.append(
                {"network": network(width), "seed": seed, "repeat": seed,
                 "val_error": true + luck,
                 "test_error": true + 0.87 * luck + 0.5 * rng.normal()}
            )  # fmt: skip
    return made(folder, rows, f"search.trials={count}", "search.seeds=3")


def survivor(folder: Path) -> Run:
    """A network with two of three seeds diverged and a lucky third, beside two sound ones."""
    rows: list[dict[str, Any]] = [
        {"network": network(width), "seed": seed, "repeat": seed, "val_error": error + seed,
         "test_error": error + seed}
        for width, error in ((1, 30.0), (2, 34.0)) for seed in range(3)
    ]  # fmt: skip
    rows += [
        {"network": network(3), "seed": seed, "repeat": seed, "status": Status.DIVERGED,
         "reason": "loss is nan"}
        for seed in range(2)
    ]  # fmt: skip
    rows.append({"network": network(3), "seed": 2, "repeat": 2, "val_error": 10.0,
                 "test_error": 10.0})  # fmt: skip
    return made(folder, rows, "search.trials=3", "search.seeds=3")


def test_survivors_rank_below_whole_networks_with_their_failures(tmp_path: Path) -> None:
    run = survivor(tmp_path)
    table = networks(run)
    assert table["name"].tolist()[-1] == network(3).name
    assert table["failed"].tolist() == [0, 0, 2]
    assert not table["on_front"].iloc[-1]
    front = by_network(run).set_index("name")["on_front"]
    assert not front[network(3).name]
    said = findings(run)[0]
    assert said.startswith(f"The best network by validation error is {network(1).name}")
    assert network(3).name not in " ".join(findings(run)[:2])


def test_where_all_lost_seeds_the_best_says_so(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = []
    for width in (1, 2):
        rows.append({"network": network(width), "seed": 0, "status": Status.DIVERGED,
                     "reason": "loss is nan"})  # fmt: skip
        rows.append({"network": network(width), "seed": 1, "repeat": 1,
                     "val_error": 9.0 + width, "test_error": 9.0})  # fmt: skip
    said = findings(made(tmp_path, rows, "search.trials=2", "search.seeds=2"))
    assert any("1 of its trials failed, as did one or more of every other" in s for s in said)

    card = best_card(made(tmp_path / "c", rows, "search.trials=2", "search.seeds=2"))
    assert "every network lost a seed, and means of the seeds that are left" in card.refused
    assert any("is not known: every network lost a seed" in s for s in said)
    assert "search.seeds=2 or more" not in " ".join(said)


def by_width(folder: Path, errors: dict[int, list[float | None]], *more: str) -> Run:
    rows: list[dict[str, Any]] = [
        {"network": network(w), "seed": i, "repeat": i}
        | ({"status": Status.FAILED} if error is None else {"val_error": error,
           "test_error": error, "curve": [error]})
        for w, values in errors.items() for i, error in enumerate(values)
    ]  # fmt: skip
    seeds = max(map(len, errors.values()))
    return made(folder, rows, f"search.trials={len(errors)}", f"search.seeds={seeds}", *more)


def test_the_next_one_is_no_better_where_its_interval_holds_0_and_else_it_is(
    tmp_path: Path,
) -> None:
    """The interval shown is the one that decides, at the level of a page's two questions."""
    for place, error in enumerate((20.3, 21.0, 24.0)):
        errors = {1: [20.0, 21.0, 20.5], 2: [error, error + 1.3, error + 0.2]}
        (said,) = [x for x in findings(by_width(tmp_path / str(place), errors)) if "next" in x]
        low = float(said.partition("(97.5 % interval ")[2].partition(" ")[0])
        assert ("more than chance" in said.partition("no more than")[0]) == (low > 0)


def test_the_next_one_lost_no_seed_and_survivors_are_named_apart(tmp_path: Path) -> None:
    run = by_width(
        tmp_path,
        {1: [30.0, 31.0, 30.5], 2: [20.0, 21.0, None], 3: [40.0, 42.0, 40.5]},
    )
    said = " ".join(findings(run))
    assert f"The next one, {network(3).name}, has 10.33 points more" in said
    assert f"{network(2).name} has 20.50 % of the seeds that are left, and lost 1:" in said
    alone = " ".join(findings(by_width(tmp_path / "b", {1: [30.0, 31.0], 2: [40.0, None]})))
    assert "The next one" not in alone
    assert "of the seeds that are left, and lost" not in alone


@pytest.mark.parametrize(
    ("errors", "test", "more", "why"),
    [
        ({1: [3.0, 3.1], 2: [4.0, 4.3]}, True, (), "2 networks are too few to tell luck"),
        ({1: [3.0], 2: [4.0], 3: [5.0]}, True, (), "skill; run it with --set search.seeds=2"),
        ({1: [3.0], 2: [4.0], 3: [5.0]}, True, ("search.seeds=2",), "skill; let the run go on"),
        ({1: [3.0, 3.1], 2: [4.0, 4.3], 3: [5.0, 5.1]}, False, (), "seed has a test error"),
        ({1: [3.0, 3.1], 2: [4.0, 4.1], 3: [5.0, 5.1]}, True, (), "differ alike in every seed"),
    ],
)
def test_why_luck_is_not_known_is_the_actual_reason(
    errors: dict[int, list[float]], test: bool, more: tuple[str, ...], why: str, tmp_path: Path
) -> None:
    rows = [
        {"network": network(w), "seed": i, "repeat": i, "val_error": error}
        | ({"test_error": error} if test else {})
        for w, values in errors.items() for i, error in enumerate(values)
    ]  # fmt: skip
    seeds = max(map(len, errors.values()))
    plan = (f"search.trials={len(errors)}", f"search.seeds={seeds}", *more)
    run = made(tmp_path, rows, *plan)
    assert why in chosen(run)[-1]
    assert why in best_card(run).refused


def test_the_selection_is_out_of_all_that_were_tried(tmp_path: Path) -> None:
    """Two of three are trained to the end; of five, two lost a seed."""
    rows: list[dict[str, Any]] = [
        {"network": network(w), "val_error": 10.0 + w, "test_error": 10.0} for w in (1, 2)
    ]
    rows.append({"network": network(3), "status": Status.PRUNED, "curve": [90.0]})
    said = findings(made(tmp_path / "pruned", rows, "search.trials=3", "scheduler=asha"))
    assert any("chosen out of 3 networks, 2 of them trained to the end, by" in s for s in said)
    assert said[-1].endswith(" lies 1 of 2 networks trained to the end, out of 3 tried.")
    rows = [{"network": network(w), "seed": i, "repeat": i, "val_error": 10.0 + w + i * w / 9,
             "test_error": 10.0 + i * w} for w in (1, 2, 3) for i in (0, 1)]  # fmt: skip
    rows.append({"network": network(4), "status": Status.PRUNED, "val_error": 90.0})
    seeds = made(
        tmp_path / "seeds", rows, "search.trials=4", "search.seeds=2", "scheduler=asha"
    )
    assert best_card(seeds).sentences[0].endswith("of 3 networks that were trained to the end.")
    run = by_width(
        tmp_path / "lost",
        {1: [30.0, 31.0], 2: [33.0, None], 3: [40.0, 42.0], 4: [50.0, 50.5], 5: [31.0, None]},
    )
    said = findings(run)
    left = "these may be the better ones, so it is not ranked; nor is 1 other like it."
    assert (
        f"{network(5).name} has 31.00 % of the seeds that are left, and lost 1: {left}" in said
    )
    assert any(
        one.startswith("As one of the 3 networks that lost no seed, its") for one in said
    )
    left_out = "2 networks that lost a seed are left out: the mean of the seeds that are left"
    assert sum(one.startswith(left_out) for one in said) == 1
    assert said[-1].endswith(" lies 1 of 3 networks; 2 that lost a seed are not placed.")
    card = best_card(run)
    assert "of 3 networks that lost no seed." in card.sentences[0]
    assert card.sentences[1].startswith(left_out)


def test_draws_do_not_tell_a_probability_from_1() -> None:
    said = [probability_words(one) for one in (1.0, 0.995, 0.99, 0.5, 0.01, 0.004, 0.0)]
    assert said == ["above 0.99", "above 0.99", "0.99", "0.50", "0.01", *["below 0.01"] * 2]


def test_a_lucky_mean_is_no_better_than_guessing(tmp_path: Path) -> None:
    """Of four classes 75 % is chance; one seed of three is far better, and by luck."""
    lucky = by_width(tmp_path / "a", {1: [60.0, 75.0, 75.0], 2: [75.0, 74.0, 76.0]})
    (said,) = [one for one in findings(lucky) if "guessing" in one]
    assert said.startswith("No network is shown to be better than guessing (75.0 % validation")
    for place, errors in enumerate(
        ({1: [60.0, 61.0], 2: [75.0, 74.0]}, {1: [60.0], 2: [75.0]})
    ):
        said = " ".join(findings(by_width(tmp_path / str(place), errors)))
        assert "guessing" not in said


def test_the_best_of_many_guesses_is_a_guess(tmp_path: Path) -> None:
    """Of 20 networks some guess better by luck, with one seed and with three."""
    rng = np.random.default_rng(0)
    warned = []
    for place, seeds in enumerate((1, 3) * 6):
        # On the 64 validation images, of four classes.
        errors = {
            width: [*(100 - rng.binomial(64, 0.25, seeds) / 0.64)] for width in range(1, 21)
        }
        said = " ".join(findings(by_width(tmp_path / str(place), errors)))
        warned.append("better than guessing" in said)
    assert sum(warned) >= 11


def test_equal_means_name_the_cheaper_only_where_it_is(tmp_path: Path) -> None:
    said = findings(by_width(tmp_path, {1: [30.0, 31.0], 2: [30.0, 31.0]}))
    assert any("the same validation error: the cheaper is named first." in s for s in said)
    twins = [
        {"network": network(1, **more), "seed": i, "repeat": i, "val_error": 30.0 + i}
        for more in ({}, {"classes": 5}) for i in (0, 1)
    ]  # fmt: skip
    run = made(tmp_path / "b", twins, "search.trials=2", "search.seeds=2")
    macs = networks(run)["macs"].tolist()
    run.trials["macs"] = macs[0]
    alike = Run(folder=run.folder, manifest=run.manifest, trials=run.trials)
    said = findings(alike)
    assert any(s.endswith("the same validation error.") for s in said)


def test_what_is_not_tested_promises_no_interval(tmp_path: Path) -> None:
    run = by_width(tmp_path, {1: [30.0, 31.0], 2: [20.0, 22.5]}, "search.trials=3")
    said = " ".join(findings(run))
    assert "has 9.25 points more; whether that is chance is not tested, for not all" in said


def test_a_difference_that_does_not_vary_has_not_too_few_seeds(tmp_path: Path) -> None:
    said = " ".join(findings(by_width(tmp_path, {1: [30.0, 31.0], 2: [35.0, 36.0]})))
    assert "has 5.00 points more: that does not vary between seeds, so nothing is" in said


def test_where_another_is_more_probable_it_is_named(tmp_path: Path) -> None:
    """The best mean of one seed alone is worth less than one of twelve."""
    rng = np.random.default_rng(0)
    errors: dict[int, list[float | None]] = {1: [10.0]}
    errors[2] = [10.2 + x for x in np.linspace(-3, 3, 12)]
    for width in range(3, 12):
        errors[width] = list(20 + rng.normal() * 0.5 + rng.normal(size=12) * 3)
    run = by_width(tmp_path, errors)
    worth = best_networks(run)
    assert worth["name"].iloc[0] == network(2).name
    said = " ".join(chosen(run))
    assert f"; most probably it is {network(2).name} ({worth['best'].iloc[0]:.2f})." in said
    assert "no other is as probable" not in said


SMALL = """\
study: small
network: {planes: 2, depth: 11, width: [1, 2, 3]}
data: {name: synthetic, validation: 64}
training: {epochs: 1, batch_size: 32, lr: 0.1, precision: fp32}
search: {sampler: grid}
confirm: {top: 2, seeds: 3, epochs: 4}
"""


def by_length(started: Started) -> float | None:
    """The second network of the search is better with fresh seeds, and 8 epochs help both."""
    first = started.name == network(1).name
    if started.phase == "search":
        return 9.0 if first else 10.0 if started.name == network(2).name else 30.0
    return (20.0 if first else 22.0) - 5 * (started.epochs == 8) + started.repeat / 10


def test_a_longer_confirmation_is_not_ranked_against_a_shorter_one(tmp_path: Path) -> None:
    """One trial of b for 8 epochs, and all of a and b for 4: a is the better one of these."""
    whole = write_run(tmp_path, by_length, text=SMALL)
    a, b = network(1).name, network(2).name
    assert networks(read_run(whole), phase="confirm")["name"].tolist() == [a, b]
    longer = SMALL.replace("epochs: 4}", "epochs: 8}")
    write_run(tmp_path, by_length, text=longer, stop_after=1)  # of a
    under_way = read_run(tmp_path)
    table = networks(under_way, phase="confirm")
    assert table["name"].tolist() == [a, b]
    assert table["seeds"].tolist() == [3, 3]
    assert table["val_mean"].tolist() == pytest.approx([21.1, 23.1])
    assert table["on_front"].tolist() == [True, False]
    points = by_network(under_way).set_index("name")
    assert points.loc[[a, b], "confirmed_epochs"].tolist() == [4, 4]
    said = " ".join(chosen(under_way))
    assert "Trained again with 3 fresh seeds for 4 epochs" in said
    assert "Another confirmation, for 8 epochs, has 1 trial of 1 network so far" in said
    assert ", 4 epochs a trial" in networks_table(under_way, phase="confirm").caption
    write_run(tmp_path, by_length, text=longer)
    ended = read_run(tmp_path)
    assert networks(ended, phase="confirm")["val_mean"].tolist() == pytest.approx([16.1, 18.1])
    said = " ".join(chosen(ended))
    assert "Trained again with 3 fresh seeds for 8 epochs" in said
    assert "Another confirmation, for 4 epochs, has 6 trials of 2 networks: another" in said


def test_a_seed_that_failed_at_another_length_is_no_failure_of_this_one(tmp_path: Path) -> None:
    write_run(tmp_path, by_length, text=SMALL)
    longer = SMALL.replace("epochs: 4}", "epochs: 8}")
    write_run(tmp_path, lambda _: None, text=longer, stop_after=2)
    table = networks(read_run(tmp_path), phase="confirm")
    assert table["failed"].tolist() == [0, 0]
    write_run(
        tmp_path / "other",
        lambda one: None if (one.phase, one.repeat) == ("confirm", 1) else by_length(one),
        text=SMALL,
    )
    write_run(tmp_path / "other", by_length, text=longer)
    (said,) = fresh(read_run(tmp_path), network(2).name)[-1:]
    assert "for 8 epochs, has no trial that was trained to the end, and 2 trials that" in said
    again = networks(read_run(tmp_path / "other"), phase="confirm")
    assert again["failed"].tolist() == [0, 0]
    assert again["seeds"].tolist() == [3, 3]


def test_confirmations_are_those_of_most_epochs(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [
        {"network": network(w), "val_error": 10.0 + w, "test_error": 10.0} for w in (1, 2, 3)
    ]
    rows += [
        {"network": network(1), "phase": "confirm", "seed": 50 + s, "repeat": s,
         "val_error": 30.0 - 10 * (epochs == 4), "test_error": 21.0, "epochs_planned": epochs}
        for s, epochs in enumerate((2, 2, 4, 4))
    ]  # fmt: skip
    run = made(tmp_path, rows, "search.trials=3", "confirm={top: 1, seeds: 2, epochs: 4}")
    assert networks(run, phase="confirm")["val_mean"].tolist() == [20.0]
    said = " ".join(chosen(run))
    assert "Trained again with 2 fresh seeds for 4 epochs" in said
    assert "has validation error 20.00 %" in said


@pytest.mark.slow
def test_the_test_error_of_the_best_is_not_called_unbiased(tmp_path: Path) -> None:
    """Best of 30 equal networks: its test error is a point too low, and not shrunken it is."""
    rng = np.random.default_rng(0)
    raw, worth, held = [], [], 0
    for number in range(12):
        run = studied(tmp_path / str(number), rng, count=30)
        best = networks(run).iloc[0]
        row = best_networks(run).set_index("name").loc[best["name"]]
        raw.append(best["test_mean"] - 40)
        worth.append(row["test"] - 40)
        held += row["test_low"] <= 40 <= row["test_high"]
    assert np.mean(raw) < -0.6
    assert abs(np.mean(worth)) < 0.4
    assert held >= 10
    said = " ".join(chosen(run))
    assert "too low on average, and so is its test error: both share the luck" in said
    assert f"is worth test error {row['test']:.2f} %" in said
    assert "truly the best with probability" in said


def test_networks_that_truly_differ_are_hardly_shrunken(tmp_path: Path) -> None:
    run = studied(tmp_path, np.random.default_rng(1), count=12, spread=20.0)
    table = best_networks(run)
    assert (table["val"] - table["val_mean"]).abs().max() < 0.5
    assert table["best"].iloc[0] > 0.99
    assert table["best"].sum() == pytest.approx(1)
    assert lower_is_better(run.ranking)
    assert "no other is as probable" in " ".join(chosen(run))
    assert best_card(run).sentences[0].startswith("The most probable best is")


def test_one_seed_says_what_to_run(tmp_path: Path) -> None:
    rows = [
        {"network": network(w), "val_error": 10.0 + w, "test_error": 10.0} for w in range(1, 6)
    ]
    run = made(tmp_path, rows, "search.trials=5")
    with pytest.raises(RunError, match="5 networks of which no two have two seeds in common"):
        best_networks(run)
    assert "confirm: {top: 3, seeds: 3, epochs: 30}" in " ".join(chosen(run))
    assert "do not tell luck from skill" in best_card(run).refused


def test_fresh_seeds_are_quoted_of_the_network_that_the_search_chose(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [
        {"network": network(w), "val_error": 10.0 + w, "test_error": 10.0} for w in (1, 2, 3)
    ]
    rows += [
        {"network": network(w), "phase": "confirm", "seed": 50 + s, "repeat": s,
         "val_error": 20.0 - 3 * w + s, "test_error": 21.0 - 3 * w + s}
        for w in (1, 2) for s in (0, 1)
    ]  # fmt: skip
    run = made(tmp_path, rows, "search.trials=3", "confirm={top: 2, seeds: 2, epochs: 2}")
    said = " ".join(chosen(run))
    assert "Trained again with 2 fresh seeds" in said
    assert f"no choice was made by, {network(1).name} has validation error 17.50 %" in said
    best = f"{network(2).name} has the best mean"
    assert f"Of the 2 networks that were confirmed for 2 epochs {best}" in said
    assert "too good in its turn" in said


def confirming(folder: Path, errors: dict[int, list[float | None]], *more: str) -> Run:
    """Two networks, the first of which the search names, and their fresh seeds; None failed."""
    rows: list[dict[str, Any]] = [
        {"network": network(w), "val_error": 10.0 + w, "test_error": 10.0 + w} for w in (1, 2)
    ]
    for width, values in errors.items():
        for i, error in enumerate(values):
            end = {"status": Status.FAILED} if error is None else {"val_error": error}
            rows.append({"network": network(width), "phase": "confirm", "seed": 50 + i,
                         "repeat": i} | end)  # fmt: skip
    confirm = "confirm={top: 2, seeds: 2, epochs: 5}"
    return made(folder, rows, "search.trials=2", confirm, *more)


@pytest.mark.parametrize(
    ("errors", "said"),
    [
        (
            {1: [None, None], 2: [None, None]},
            "2 of 2 fresh seeds of {a} failed, in training for 5 epochs.|"
            "2 of 2 fresh seeds of {b} failed.",
        ),
        (
            {1: [None, None], 2: [20.0, 21.0]},
            "2 of 2 fresh seeds of {a} failed, in training for 5 epochs.|"
            "Only {b} was confirmed for 5 epochs and lost no seed.",
        ),
        (
            {1: [None, 20.0], 2: [21.0, 22.0]},
            "Trained again with 1 fresh seed for 5 epochs, which no choice was made by, {a} "
            "has validation error 20.00 % (one seed).|1 of 2 fresh seeds of {a} failed, in "
            "training for 5 epochs: what is left may be of the better ones.|"
            "Only {b} was confirmed for 5 epochs and lost no seed.",
        ),
        ({2: [20.0]}, "Only {b} was confirmed for 5 epochs so far."),
        ({}, "No confirmation with fresh seeds has ended."),
    ],
)
def test_fresh_seeds_that_failed_are_said(
    errors: dict[int, list[float | None]], said: str, tmp_path: Path
) -> None:
    a, b = network(1).name, network(2).name
    found = fresh(confirming(tmp_path, errors), a)
    assert found == said.format(a=a, b=b).split("|")


def test_intervals_of_percentages_end_at_0_and_100(tmp_path: Path) -> None:
    rows = [
        {"network": network(w), "seed": s, "repeat": s, "val_error": 1.0 + s * 3 + w,
         "test_error": 99.0 - 6 * s}
        for w in (1, 2) for s in (0, 1)
    ]  # fmt: skip
    table = networks(made(tmp_path, rows, "search.trials=2", "search.seeds=2"))
    assert table["val_low"].tolist() == [0.0, 0.0]
    assert table["test_high"].tolist() == [100.0, 100.0]
    assert (table["val_high"] <= 100).all()


def test_networks_that_all_score_alike_are_not_ranked(tmp_path: Path) -> None:
    rows = [
        {"network": network(width), "val_error": 90.0, "test_error": 90.0}
        for width in (1, 2, 3)
    ]
    (said,) = findings(made(tmp_path, rows, "search.trials=3"))
    assert said.startswith("All 3 trials of 3 networks end with a validation error of 90.00 %")
    rows[0]["val_error"] = 89.0
    assert len(findings(made(tmp_path / "told", rows, "search.trials=3"))) > 1
