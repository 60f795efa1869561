"""What a file leaves open: recipes, habits, what lies in a tree."""

from pathlib import Path

import pytest

from search.schema.recipes import recipes
from search.schema.study_plan import StudyPlan
from search.schema.yaml import ConfigError
from tests.search.images.trees import plant
from tests.search.spaces import TINY, load, plan_of, write

SPACES = Path(__file__).parents[3] / "spaces"
TREE = TINY.replace(
    "{name: synthetic, validation: 64}", "{name: imagefolder, root: ROOT, DATA, validation: 8}"
).replace("batch_size: 32", "batch_size: 4")


def tree_config(folder: Path, data: str, **planted: int) -> StudyPlan:
    root = plant(
        folder / "images", ["ant", "bee", "cow", "dog"], **{"train": 5, "val": 2} | planted
    )
    return plan_of(folder, TREE.replace("ROOT", str(root)).replace("DATA", data))


def with_recipe(name: str, rest: str = "") -> str:
    return (
        TINY.replace(
            "{epochs: 3, batch_size: 32, lr: 0.1, precision: fp32}", f"{{recipe: {name}{rest}}}"
        )
        .replace("{name: synthetic, validation: 64}\n", "{name: cifar100, validation: 5000}\n")
        .replace("trials: 3", "trials: 1")
    )


def test_each_recipe_stands_on_its_own(tmp_path: Path) -> None:
    assert set(recipes()) >= {"resnext_cifar", "res2net_cifar", "imagenet_step", "short"}
    for name in recipes():
        assert plan_of(tmp_path, with_recipe(name)).training.epochs > 1


def test_the_paper_s_recipes_are_the_paper_s(tmp_path: Path) -> None:
    """notes of the authors: batch, rate, decay, drops."""
    resnext = plan_of(tmp_path, with_recipe("resnext_cifar")).training
    assert (resnext.epochs, resnext.batch_size, resnext.lr) == (300, 128, 0.1)
    assert (resnext.weight_decay, resnext.nesterov) == (5e-4, True)
    assert resnext.drops(300) == (150, 225)
    authors = plan_of(tmp_path, with_recipe("res2net_cifar")).training
    assert (authors.batch_size, authors.peak_lr) == (64, 0.05)
    imagenet = plan_of(tmp_path, with_recipe("imagenet_step")).training
    assert (imagenet.epochs, imagenet.batch_size, imagenet.peak_lr) == (100, 256, 0.1)
    assert imagenet.drops(100) == pytest.approx((30, 60, 90))
    assert (imagenet.label_smoothing, imagenet.weight_decay) == (0.1, 1e-4)
    assert not imagenet.nesterov
    short = plan_of(tmp_path, with_recipe("short")).training
    assert short.schedule == "onecycle"
    assert 10 <= short.epochs <= 30


def test_a_file_s_own_values_lie_over_the_recipe_s(tmp_path: Path) -> None:
    text = with_recipe("resnext_cifar", ", epochs: 30, batch_size: 32")
    training = plan_of(tmp_path, text).training
    assert (training.epochs, training.schedule) == (30, "step")
    assert training.peak_lr == pytest.approx(0.1 * 32 / 128), "a quarter of the batch it is for"


def test_habits_are_the_data_set_s(tmp_path: Path) -> None:
    digits = plan_of(tmp_path).training
    assert (digits.crop, digits.flip, digits.resized_crop) == (0, False, None)
    tree = tree_config(tmp_path, "resolution: 8").training
    assert (tree.crop, tree.flip, tree.resized_crop) == (0, True, (0.08, 1.0))


def test_a_padded_crop_takes_the_place_of_a_resized_one(tmp_path: Path) -> None:
    text = TREE.replace("lr: 0.1", "crop: 2, lr: 0.1").replace("DATA", "resolution: 8")
    root = plant(tmp_path / "images", ["ant", "bee"], train=9, val=1)
    training = plan_of(tmp_path, text.replace("ROOT", str(root))).training
    assert (training.crop, training.resized_crop) == (2, None)


def test_a_tree_says_classes_and_images(tmp_path: Path) -> None:
    data = tree_config(tmp_path, "resolution: 8").data
    assert data.class_names == ("ant", "bee", "cow", "dog")
    assert (data.train, data.classes) == (4 * 5 - 8, 4)
    assert (data.resolution, data.resize) == (8, 9), "8 * 256 / 224"
    assert data.test == 4 * 2


def test_a_subset_of_a_tree(tmp_path: Path) -> None:
    data = tree_config(tmp_path, "resolution: 8, classes: 3, images_per_class: 4").data
    assert len(data.class_names) == data.classes == 3
    assert data.train == 3 * 4 - 8


def test_what_is_resolved_resolves_to_itself(tmp_path: Path) -> None:
    """Workers get it as data."""
    config = tree_config(tmp_path, "resolution: 8, classes: 3")
    assert StudyPlan.model_validate(config.model_dump()) == config


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("resolution: 8, classes: 5", r"space.yaml:11: data.classes: .*4"),
        ("resolution: 8, images_per_class: 6", r":11: data.images_per_class: .*5"),
        ("resolution: 8, classes: [ant, bea]", r":11: data.classes: .*bea.* mean 'bee'"),
        ("resolution: 8, classes: none.txt", r":11: data.classes: .*none.txt"),
        ("resolution: 8, train: 13", r":11: data.validation: validation 8 \+ train 13 is more"),
        (
            "resolution: 8, test: 3",
            r":11: data.test: 3 is not a limit: the 8 test",
        ),
        ("resolution: 8, resize: 100000", r":11: data.resize: 100000 is not at most 4096"),
        ("resolution: 8, digest: abc", r":11: data.digest: .*not the images that were meant"),
        ("resolution: 3", r":11: data.resolution: 3 px is less than the 4 px .* cifar's last"),
    ],
)
def test_a_tree_that_does_not_hold_what_is_asked(
    tmp_path: Path, data: str, message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        tree_config(tmp_path, data)


def test_a_place_without_a_tree_is_said_to_be_none(tmp_path: Path) -> None:
    text = TREE.replace("ROOT", "nowhere").replace("DATA", "resolution: 8")
    with pytest.raises(ConfigError, match=r"space.yaml:11: data.root: .*nowhere"):
        load(write(tmp_path, text))
