"""Recipes: training sections by name or by file, whose keys a space file may override."""

import difflib
from pathlib import Path

from ruamel.yaml.comments import CommentedMap

from res2net.file_names import fs_name, path_of
from res2net.plugins import split_plugin
from search.schema.optimizers import OPTIMIZERS
from search.schema.parsing import UnreadableError, parse, plain
from search.schema.yaml import ConfigError, Document, line_of

_RECIPES = Path(__file__).parents[1] / "recipes"
_SUFFIXES = (".yaml", ".yml")


def recipes() -> dict[str, Path]:
    """The recipes of this project: the file of each, by name."""
    return {path.stem: path for path in sorted(_RECIPES.glob("*.yaml"))}


def recipe_file(name: str, folder: Path) -> Path | None:
    """The file of a recipe: one of this project's by name, or any by its path.

    Args:
        name: value of `recipe` in the training section.
        folder: folder of the space file; a path may be relative to it, or to the current
            folder.

    Returns:
        None where there is no such file.
    """
    if name in recipes():
        return recipes()[name]
    if not name.endswith(_SUFFIXES):
        return None
    return next(
        (path for path in (path_of(name), folder / fs_name(name)) if path.is_file()), None
    )


def with_recipe(document: Document) -> Document:
    """The document with its training section merged over the recipe that it names.

    Raises:
        ConfigError: there is no such recipe, or its file is not one.
    """
    training = document.data.get("training")
    if not isinstance(training, dict) or "recipe" not in training:
        return document
    name = training["recipe"]
    place = f"{document.place(('training', 'recipe'))}: training.recipe: {name!r}"
    path = recipe_file(str(name), document.path.parent)
    if path is None:
        raise ConfigError(f"{place} is not a recipe; {_remedy(str(name))}")
    nodes = _read(path, place)
    base = plain(nodes)
    own = {key: value for key, value in training.items() if key != "recipe"}
    usual = base.get("optimizer", "sgd")
    chosen = str(own.get("optimizer", usual))
    known = chosen in OPTIMIZERS.ours or split_plugin(chosen)  # else the schema reports it
    if known and chosen != usual and "lr" not in own:
        raise ConfigError(
            f"{document.place(('training', 'optimizer'))}: training.optimizer: "
            f"{own['optimizer']} would use the rate that {name} has for {usual}; write lr as "
            "well, such as lr: 0.001"
        )
    data = document.data | {"training": base | own}
    inherited = {key: f"{path}:{line_of(nodes, (key,))}" for key in base.keys() - own.keys()}
    return document._replace(data=data, recipe=str(name), inherited=inherited)


def _read(path: Path, place: str) -> CommentedMap:
    """The mapping in the file of a recipe, with the lines of its keys."""
    try:
        base = parse(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{place} cannot be read ({error}); correct {path}") from error
    except UnreadableError as error:
        raise ConfigError(error.at(str(path))) from error
    if not isinstance(base, CommentedMap):
        raise ConfigError(
            f"{place} is not a recipe: {path} contains no keys of a training section; write, "
            "for example, epochs: 30"
        )
    return base


def _remedy(name: str) -> str:
    known = recipes()
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    mean = f"did you mean {near[0]!r}? " if near else ""
    return f"{mean}write one of {', '.join(known)}, or the path of a file: my/recipe.yaml"
