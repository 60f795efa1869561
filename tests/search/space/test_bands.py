"""Bands of a budget: narrow ranges around several amounts, each searched as often."""

from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from res2net import cost
from search.plan import picture
from search.samplers.base import SpaceExhausted
from search.samplers.planned import sampler_of
from search.schema.yaml import ConfigError
from search.study import manifest
from tests.search.spaces import PAPER, resolved_of

BANDS = PAPER.replace("{max: 4.0G, min: 3.6G}", "{bands: [0.5G, 1G, 2G, 4G], tolerance: 2%}")
EACH = BANDS.replace("trials: 100", "sampler: SAMPLER, per_band: 20")


def test_every_candidate_lies_in_a_band_and_all_of_these_are_there(tmp_path: Path) -> None:
    """Against a count of the whole space, band by band."""
    banded = resolved_of(tmp_path, BANDS).survey
    whole = resolved_of(tmp_path, PAPER.replace("{max: 4.0G, min: 3.6G}", "{max: 1T}"))
    macs = whole.survey.costs.macs
    for kind, amount in enumerate((500_000_000, 10**9, 2 * 10**9, 4 * 10**9)):
        inside = (macs >= round(amount * 0.98)) & (macs <= round(amount * 1.02))
        held = banded.costs.macs[banded.bands == kind]
        assert sorted(held) == sorted(macs[inside])
    assert banded.total == len(banded) + sum(banded.rejected.values())


@pytest.mark.parametrize("name", ["random", "tpe", "qmc", "stratified", "evolution"])
def test_each_band_gets_its_trials(tmp_path: Path, name: str) -> None:
    """Those that hold fewer are tried whole; none leaves the budget."""
    plan, survey = resolved_of(tmp_path, EACH.replace("SAMPLER", name))
    held = np.bincount(survey.bands)
    assert plan.search.trials == sum(min(20, count) for count in held)
    sampler = sampler_of(plan, survey)
    proposed = []
    for trial in range(plan.search.trials):
        proposed.append(sampler.propose(trial))
        sampler.take(proposed[-1])
    assert len(set(proposed)) == plan.search.trials
    assert np.bincount(survey.bands[proposed]).tolist() == [min(20, n) for n in held]
    for candidate in proposed:
        macs = cost(survey.architecture(candidate), image_size=32).macs
        assert any(0.98 * a - 1 <= macs <= 1.02 * a + 1 for a in (5e8, 1e9, 2e9, 4e9))
    with pytest.raises(SpaceExhausted):
        sampler.propose(plan.search.trials)


def test_the_plan_says_which_bands_hold_too_few(tmp_path: Path) -> None:
    text = EACH.replace("SAMPLER", "random").replace("per_band: 20", "per_band: 500")
    plan, survey = resolved_of(tmp_path, text)
    console = Console(width=200)
    with console.capture() as captured:
        console.print(picture(plan, survey, gpu=0))
    count = int((survey.bands == 0).sum())
    shown = captured.get()
    assert f"{count:,} candidates: {count} are tried, fewer than the 500 requested" in shown


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("tolerance: 2%", "tolerance: 40%", r"budget.macs: .*bands that overlap"),
        ("tolerance: 2%", "tolerance: 200%", r"is not a share above 0 and below 100%"),
        ("tolerance: 2%", "max: 5G", r"has both bands and a limit"),
        ("bands: [0.5G, 1G, 2G, 4G], ", "max: 4G, ", r"has a tolerance but no bands"),
        ("[0.5G, 1G, 2G, 4G]", "1G", r"is not a list; write one such as"),
        ("{from: 4, to: 64}", "fill", r"network.width: .*the budget has bands"),
        ("trials: 100", "sampler: axes, per_band: 3", r"is not used by axes"),
        ("trials: 100", "trials: 5, per_band: 3", r"search.trials: .*both set the number"),
        ("[0.5G, 1G, 2G, 4G]", "[null, 1G]", r"contains an empty amount; write each"),
        (
            "{trials: 100}",
            "{per_band: 3}\nscheduler: asha",
            r"searches each band by itself, but asha would stop networks of one band",
        ),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in BANDS
    with pytest.raises(ConfigError, match=message):
        resolved_of(tmp_path, BANDS.replace(old, new))


def test_trials_of_each_band_need_bands(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"search.per_band: .*is only for a budget with bands"
    ):
        resolved_of(tmp_path, PAPER.replace("trials: 100", "sampler: random, per_band: 3"))


def test_more_of_each_band_extend_a_study(tmp_path: Path) -> None:
    """As more trials do; the networks so far are those that were tried."""
    text = EACH.replace("SAMPLER", "tpe").replace("per_band: 20", "per_band: 2")
    plan, _ = resolved_of(tmp_path, text)
    more, _ = resolved_of(tmp_path, text.replace("per_band: 2", "per_band: 3"))
    (tmp_path / "run").mkdir()
    manifest.note(tmp_path / "run", plan, space=text, command=())
    assert manifest.going_on(tmp_path / "run", more).search.per_band == 3
    manifest.note(tmp_path / "run", more, space=text, command=())
    assert manifest.going_on(tmp_path / "run", plan).search.per_band == 3
    plain, _ = resolved_of(tmp_path, BANDS)
    with pytest.raises(ConfigError, match="contains a different study"):
        manifest.going_on(tmp_path / "run", plain)
