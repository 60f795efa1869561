"""Finds the foreign parts that a space file names, and where each comes from."""

import hashlib
from collections.abc import Iterator

from res2net.plugins import split_plugin
from search.schema.parts import Origin, origin_of
from search.schema.recipes import recipe_file, recipes
from search.schema.space_file import SpaceFile
from search.schema.yaml import Document


def origins(space: SpaceFile, document: Document) -> tuple[Origin, ...]:
    """Each foreign part that a space file names, once, in the order of the file's keys.

    Args:
        space: space file as written.
        document: gives the recipe.

    Raises:
        PluginError: one cannot be imported.
    """
    return tuple(dict.fromkeys([*_recipe(document), *_named(space)]))


def _named(space: SpaceFile) -> Iterator[Origin]:
    names = [
        *(("network.skeleton", name) for name in space.network.skeleton),
        ("network.block", space.network.block),
        ("data.name", space.data.name),
        ("task", space.task.name),
        ("training.optimizer", space.training.optimizer),
        ("search.sampler", space.search.sampler.name),
        *(("search.objectives", name) for name in space.search.objectives),
        ("scheduler", space.scheduler.name),
    ]
    for key, name in names:
        if split_plugin(name):
            yield origin_of(key, name)


def _recipe(document: Document) -> Iterator[Origin]:
    name = document.recipe
    path = recipe_file(name, document.path.parent)
    if path is not None and name not in recipes():
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        yield Origin("training.recipe", name, str(path.resolve()), None, digest)
