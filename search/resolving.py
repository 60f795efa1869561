"""What a space file leaves open, filled in: recipe, habits, what lies in a tree of images.

Comes out: a config that says all a study depends on, and is noted as that. No torch here.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from search.engine.recipe import Training
from search.images.datasets import DATASETS
from search.images.section import Data
from search.images.tree import Tree, read_tree
from search.reading import ConfigError, Document

_RECIPES = Path(__file__).parent / "engine" / "recipes"


def recipes() -> tuple[str, ...]:
    """Names of the recipes that `training: {recipe: ...}` can start from."""
    return tuple(sorted(path.stem for path in _RECIPES.glob("*.yaml")))


def with_recipe(document: Document) -> dict[str, Any]:
    """The document's data, its training section laid over the recipe that it names.

    Raises:
        ConfigError: there is no such recipe.
    """
    training = document.data.get("training")
    if not isinstance(training, dict) or "recipe" not in training:
        return document.data
    name = training["recipe"]
    if name not in recipes():
        raise ConfigError(
            f"{document.place(('training', 'recipe'))}: training.recipe: {name!r} is not a "
            f"recipe; write one of {', '.join(recipes())}"
        )
    text = (_RECIPES / f"{name}.yaml").read_text(encoding="utf-8")
    base = {
        key: tuple(value) if isinstance(value, list) else value
        for key, value in YAML(typ="safe", pure=True).load(text).items()
    }
    own = {key: value for key, value in training.items() if key != "recipe"}
    if own.get("optimizer", base["optimizer"]) != base["optimizer"] and "lr" not in own:
        raise ConfigError(
            f"{document.place(('training', 'optimizer'))}: training.optimizer: "
            f"{own['optimizer']} would take the rate that {name} has for {base['optimizer']}; "
            "write lr as well, such as lr: 0.001"
        )
    return document.data | {"training": base | own}


def with_tree(data: Data, document: Document) -> Data:
    """A data section with the classes and the number of images that its tree holds.

    Raises:
        ConfigError: the tree is not one, or not large enough (see `search.images.tree`).
    """
    if not DATASETS[data.name].tree:
        return data
    place = data_places(document)
    tree = tree_of(data, Path(data.root), place=place)
    there = len(tree.train.names)
    train = data.train or there - data.validation
    if train < 1 or data.validation + train > there:
        wanted = f"validation {data.validation:,} + train {max(train, 1):,}"
        raise ConfigError(
            f"{place('validation')}: {wanted} is more than the {there:,} training "
            f"images of {data.root}; lower one"
        )
    digest = hashlib.sha256("\n".join(tree.train.names + tree.test.names).encode()).hexdigest()
    if data.digest not in (None, digest):
        raise ConfigError(
            f"{place('digest')}: the files of {data.root} have {digest}, so they "
            "are not the images that were meant; set data.root to those, or take the digest out"
        )
    test = len(tree.test.names)
    if data.test not in (None, test):
        raise ConfigError(
            f"{place('test')}: {data.test:,} is no limit, the {test:,} test images "
            "are always used; leave it out"
        )
    found: dict[str, object] = {
        "classes": tree.classes,
        "train": train,
        "test": test,
        "digest": digest,
    }
    if data.cache:  # workers may have another current folder
        found["cache"] = str(Path(data.cache).resolve())
    return data.model_copy(update=found)


def with_habits(training: Training, data: Data) -> Training:
    """The data set's own augmentation where the file leaves it open."""
    facts = data.facts
    resized = training.resized_crop
    if resized is None and training.crop is None:
        resized = facts.resized_crop
    return training.model_copy(
        update={
            "crop": facts.crop if training.crop is None and not resized else training.crop or 0,
            "flip": facts.flip if training.flip is None else training.flip,
            "resized_crop": resized,
        }
    )


def tree_of(data: Data, root: Path, *, place: Callable[[str], str]) -> Tree:
    """The images that a data section chooses from a tree.

    Args:
        data: of imagenet or imagefolder.
        root: the folder that holds train/ and val/.
        place: where a key of the section stands, for messages.
    """
    return read_tree(
        root, classes=data.classes, images_per_class=data.images_per_class, place=place
    )


def data_places(document: Document) -> Callable[[str], str]:
    """Where each key of the data section stands, for messages: `file:line: data.key`."""
    return lambda key: f"{document.place(('data', key))}: data.{key}"
