"""The recipe, planes and the resolution as dimensions of a space."""

import io
import itertools
from pathlib import Path

import pytest
from rich.console import Console

from res2net import Architecture, cost
from res2net.receptive import effective_depth
from search.plan import picture
from search.schema.yaml import ConfigError
from search.space.survey import survey
from tests.search.spaces import TINY, plan_of, resolved_of

MANY = """\
study: many
network:
  planes: [4, 8]
  depth: [11, 20]
  scale: [1, 2]
  width: [1, 2]
  resolution: [8, 12]
data: {name: digits, validation: 237, train: 200}
training:
  epochs: [2, 4]
  batch_size: 50
  lr: {from: 0.02, to: 0.5, log: true, values: 3}
search: {sampler: random, trials: 10}
"""


def test_every_combination_is_a_candidate_of_its_exact_cost(tmp_path: Path) -> None:
    plan, surveyed = resolved_of(tmp_path, MANY)
    every = itertools.product(
        (11, 20), (1, 2), (1, 2), (4, 8), (8, 12), (2, 4), (0.02, 0.1, 0.5)
    )
    wanted = {}
    for depth, scale, width, planes, side, epochs, lr in every:
        network = Architecture(
            skeleton="cifar", depth=depth, scale=scale, width=width, planes=planes,
            classes=10,
        )  # fmt: skip
        counted = cost(network, image_size=side)
        wanted[f"{network.name}_resolution{side}_epochs{epochs}_lr{lr}"] = counted
    found = {surveyed.name(one): surveyed.cost(one) for one in range(len(surveyed))}
    assert found == wanted
    assert plan.candidates == len(wanted) == 2**6 * 3
    for one in range(len(surveyed)):
        settings = surveyed.settings(one)
        assert surveyed.candidate(surveyed.architecture(one), settings) == one
    assert surveyed.candidate(surveyed.architecture(0), {"lr": 0.1}) is None, "not all are said"


def test_a_budget_holds_for_the_resolution_of_each(tmp_path: Path) -> None:
    text = MANY + "budget: {macs: {max: 120K}}\n"
    surveyed = resolved_of(tmp_path, text).survey
    sides = [surveyed.settings(one)["resolution"] for one in range(len(surveyed))]
    assert 0 < sides.count(12) < sides.count(8)
    for one in range(len(surveyed)):
        side = int(surveyed.settings(one)["resolution"])
        assert cost(surveyed.architecture(one), image_size=side).macs <= 120_000


def test_width_fills_the_budget_at_each_resolution(tmp_path: Path) -> None:
    text = MANY.replace("width: [1, 2]", "width: fill") + "budget: {macs: {max: 400K}}\n"
    surveyed = resolved_of(tmp_path, text).survey
    for one in range(0, len(surveyed), 5):
        network, side = surveyed.architecture(one), int(surveyed.settings(one)["resolution"])
        fields = {
            key: getattr(network, key) for key in ("skeleton", "depth", "scale", "planes")
        }
        wider = Architecture(**fields, width=network.width + 1, classes=10)
        assert cost(network, image_size=side).macs <= 400_000
        assert cost(wider, image_size=side).macs > 400_000


def test_one_value_is_no_dimension(tmp_path: Path) -> None:
    text = TINY.replace("lr: 0.1", "lr: [0.1]")
    plan = plan_of(tmp_path, text)
    assert plan.varied == {}
    assert plan == plan_of(tmp_path)


@pytest.mark.parametrize(
    ("written", "values"),
    [
        ("{from: 0.1, to: 0.4, values: 4}", (0.1, 0.2, 0.3, 0.4)),
        ("{from: 0.01, to: 1, log: true, values: 3}", (0.01, 0.1, 1.0)),
        ("[0.4, 0.1, 0.4]", (0.1, 0.4)),
    ],
)
def test_values_of_a_setting(tmp_path: Path, written: str, values: tuple[float, ...]) -> None:
    plan = plan_of(tmp_path, TINY.replace("lr: 0.1", f"lr: {written}"))
    assert plan.varied == {"lr": values}
    assert plan.training.lr == values[0]


def test_a_range_has_nine_values_where_it_does_not_say(tmp_path: Path) -> None:
    text = TINY.replace("lr: 0.1", "lr: {from: 0.02, to: 0.4, log: true}")
    values = plan_of(tmp_path, text).varied["lr"]
    assert len(values) == 9
    ratios = [b / a for a, b in itertools.pairwise(values)]
    assert ratios == pytest.approx([20 ** (1 / 8)] * 8, rel=0.01)


def test_a_rate_by_depth_falls_as_the_law_says(tmp_path: Path) -> None:
    text = TINY.replace("lr: 0.1", "lr: {rule: depth, lr: 0.2, depth: 20}")
    rule = plan_of(tmp_path, text).lr_rule
    assert rule is not None
    assert rule.effective_depth == 11
    deeper = Architecture(skeleton="cifar", depth=38, width=4)
    assert rule.rate(effective_depth(deeper)) == pytest.approx(0.2 * (17 / 11) ** -1.5)
    usual = plan_of(tmp_path, TINY.replace("lr: 0.1", "lr: {rule: depth}")).lr_rule
    assert usual is not None
    assert (usual.lr, usual.effective_depth) == (0.1, 8), "the shallowest of the space: 11"


BAD = [
    ("lr: 0.1", "lr: {from: 0.4, to: 0.1}", r":12: training.lr: .* the smaller first"),
    ("lr: 0.1", "lr: {from: 0.1, till: 0.4}", r":12: training.lr: has the keys from, till"),
    ("lr: 0.1", "lr: {from: 0.1, to: 1, values: 1}", r"training.lr: .* whole number from 2"),
    ("lr: 0.1", "lr: [0.1, fast]", (
        r":12: training.lr: .* contains 'fast', which is not a number"
    )),
    ("lr: 0.1", "lr: []", r":12: training.lr: \[\] has 0 values"),
    ("lr: 0.1", "lr: {rule: width}", r"training.lr.rule: .width. is not known"),
    ("lr: 0.1", "lr: {rule: depth, depth: 21}", r":12: training.lr.depth: .*21"),
    ("lr: 0.1", "momentum: [0.0, 0.9]", r":12: training.momentum: .* leaves nesterov"),
    ("search: {", "search: {tune: [lr], ", (
        r"search.tune: .* training.lr does not have several"
    )),
    ("search: {", "search: {tune: [speed], ", r"search.tune: .* names speed, which cannot"),
    ("search: {", "search: {tune: [], ", r"search.tune: \[\] is an empty list"),
    ("lr: 0.1", "optimizer: adamw, momentum: [0.8, 0.9]", r"momentum: .* adamw does not"),
    ("epochs: 3", "epochs: [1, 3], warmup: 2", r"2 takes the whole training, 1 epoch;"),
    ("epochs: 3", "epochs: [3, 1.5]", r"training.epochs: .* contains 1.5"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "message"), BAD, ids=[new for _, new, _ in BAD])
def test_a_mistake_is_named(tmp_path: Path, old: str, new: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        plan_of(tmp_path, TINY.replace(old, new))


TUNED = TINY.replace("lr: 0.1", "lr: [0.05, 0.1, 0.2]")
UNFIT = [
    ("tune: {keys: [lr], trials: 3}", r"search.tune.trials: 3 is not fewer than the 3"),
    ("tune: {keys: [lr], trials: 2, sampler: axes}", r"tune.sampler: 'axes' chooses among net"),
    ("tune: {keys: [lr], sampler: tpe}", r"search.tune.sampler: .* has nothing to choose"),
    ("tune: [lr, lr]", r"search.tune: .* names a key twice"),
    ("ordered: true, concurrency: 4, tune: {keys: [lr], trials: 2}", r"search.tune.trials"),
    ("sampler: axes, trials: all", r"training.lr: .* write search: \{tune: \[lr\]\}"),
    ("warm_start: [runs/other]", r"search.warm_start: .* differ in lr"),
]


@pytest.mark.parametrize(("keys", "message"), UNFIT, ids=[keys for keys, _ in UNFIT])
def test_what_does_not_go_together_is_named(tmp_path: Path, keys: str, message: str) -> None:
    text = TUNED
    for key in ("sampler", "trials"):
        if f"{key}: " in keys.split("tune", maxsplit=1)[0]:
            text = text.replace("sampler: random, ", "").replace("trials: 3, ", "")
    with pytest.raises(ConfigError, match=message):
        plan_of(tmp_path, text.replace("search: {", f"search: {{{keys}, "))


def test_lengths_do_not_go_with_early_stopping(tmp_path: Path) -> None:
    text = TINY.replace("epochs: 3", "epochs: [3, 6]")
    text = text.replace("resources:", "scheduler: asha\nresources:")
    with pytest.raises(ConfigError, match=r"training.epochs: .* asha compares trials at one"):
        plan_of(tmp_path, text)


def test_several_settings_in_fewer_tries_are_spread_over_all(tmp_path: Path) -> None:
    text = TINY.replace("lr: 0.1", "lr: [0.05, 0.1, 0.2], weight_decay: [1e-4, 1e-3]")
    tune = plan_of(
        tmp_path,
        text.replace("search: {", "search: {tune: {keys: [lr, weight_decay], trials: 4}, "),
    ).search.tune
    assert tune is not None
    assert (tune.climbs, tune.chosen().name) == (False, "qmc")


def test_lengths_do_not_go_with_a_confirmation(tmp_path: Path) -> None:
    text = TINY.replace("epochs: 3", "epochs: [3, 6]").replace(
        "resources:", "confirm: {top: 1, seeds: 2, epochs: 6}\nresources:"
    )
    with pytest.raises(ConfigError, match=r"training.epochs: .* confirmed twice"):
        plan_of(tmp_path, text)


def test_a_resolution_is_said_once(tmp_path: Path) -> None:
    text = MANY.replace("train: 200", "train: 200, resolution: 8")
    with pytest.raises(ConfigError, match=r"data.resolution"):
        plan_of(tmp_path, text)


def test_planes_along_axes(tmp_path: Path) -> None:
    text = (
        MANY.replace("sampler: random, trials: 10", "sampler: axes")
        .replace("epochs: [2, 4]", "epochs: 2")
        .replace("lr: {from: 0.02, to: 0.5, log: true, values: 3}", "lr: 0.1")
    )
    plan, surveyed = resolved_of(tmp_path, text)
    assert len(surveyed) == 1 + 5, "one step along each dimension"
    assert (plan.search.base.planes, plan.search.base.resolution) == (4, 8)
    assert survey(plan).base == surveyed.base


@pytest.mark.parametrize(
    ("written", "values"),
    [
        ("{from: 0.99, to: 0.9999, values: 3}", (0.99, 0.995, 0.9999)),
        ("{from: 0.12345, to: 0.2, values: 3}", (0.12345, 0.162, 0.2)),
        ("{from: 0.5, to: 0.5002, values: 5}", (0.5, 0.50005, 0.5001, 0.50015, 0.5002)),
    ],
)
def test_a_range_goes_from_its_first_value_to_its_last_and_has_as_many_as_it_says(
    tmp_path: Path, written: str, values: tuple[float, ...]
) -> None:
    text = TINY.replace("lr: 0.1", f"lr: 0.1, momentum: {written}")
    assert plan_of(tmp_path, text).varied["momentum"] == values


def test_values_that_differ_in_the_seventh_digit_have_names_of_their_own(
    tmp_path: Path,
) -> None:
    text = TINY.replace("lr: 0.1", "lr: [0.1234567, 0.1234568]")
    surveyed = resolved_of(tmp_path, text).survey
    names = {surveyed.name(one) for one in range(len(surveyed))}
    assert len(names) == len(surveyed)


def test_a_plan_says_thousands_of_epochs_in_full(tmp_path: Path) -> None:
    plan, surveyed = resolved_of(tmp_path, TINY.replace("epochs: 3", "epochs: 1250"))
    console = Console(width=200, record=True, file=io.StringIO())
    console.print(picture(plan, surveyed, gpu=0.0))
    assert "of 1,250 epochs" in console.export_text()
