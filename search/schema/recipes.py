"""What a space file leaves open, filled in: recipe, habits, what lies in a tree of images.

Comes out: a config that says all a study depends on, and is noted as that. No torch here.
"""

from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from search.schema.data import Data
from search.schema.training import Training
from search.schema.yaml import ConfigError, Document

_RECIPES = Path(__file__).parents[1] / "recipes"


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
