"""The spaces of the paper's other tables plan without files: its networks, and no others."""

from pathlib import Path

import pytest

from search.space.load import load_space
from search.space.resolve import resolve

SPACES = Path(__file__).parents[3] / "spaces"
TWO, FIVE = {(64, 1), (26, 4)}, {(64, 1), (48, 2), (26, 4), (18, 6), (14, 8)}
# Of each: networks by width and scale, images to train on, to test on, and classes.
PLANS = {
    "voc_detection": (TWO, 16_051, 4952, 20),
    "coco_detection": (TWO, 113_287, 5000, 80),
    "coco_instances": (FIVE, 113_287, 5000, 80),
    "voc_segmentation": (FIVE, 10_082, 1449, 20),
    "saliency": (TWO, 2500, 1000, 1),
    "coco_keypoints": (TWO, 54_599, 2346, 1),
}
DEEP = {
    "voc_segmentation": (FIVE, "budget={macs: {min: 51G, max: 53.5G}}"),
    "coco_keypoints": (TWO, "budget={macs: {min: 7.5G, max: 8G}}"),
}


def networks(name: str, *overrides: str) -> set[tuple[int, int]]:
    plan, survey = resolve(*load_space(SPACES / f"{name}.yaml", overrides), unseen=True)
    assert plan.search.trials == len(survey), "the grid runs all of them"
    depths = {survey.architecture(at).depth for at in range(len(survey))}
    assert depths == {101 if overrides else 50}
    each = [survey.architecture(at) for at in range(len(survey))]
    return {(one.width, one.scale) for one in each}


@pytest.mark.parametrize("name", PLANS)
def test_a_plan_has_the_networks_of_the_table(name: str) -> None:
    wanted, train, test, classes = PLANS[name]
    assert networks(name) == wanted
    data = resolve(*load_space(SPACES / f"{name}.yaml"), unseen=True).plan.data
    assert (data.train, data.test, data.classes) == (train, test, classes)


@pytest.mark.parametrize("name", DEEP)
def test_so_has_one_of_101_layers(name: str) -> None:
    wanted, budget = DEEP[name]
    assert networks(name, "network.depth=101", budget) == wanted
