"""Loads a space file and validates it against its schema; nothing is counted yet."""

from collections.abc import Iterator
from pathlib import Path

from pydantic import ValidationError

from search.schema.messages import explain
from search.schema.recipes import recipes, with_recipe
from search.schema.space_file import SpaceFile
from search.schema.yaml import ConfigError, Document, read


def load_space(path: Path, overrides: tuple[str, ...] = ()) -> tuple[SpaceFile, Document]:
    """Read and check a space file.

    Args:
        path: the YAML file.
        overrides: `key.subkey=value` texts that override its values (`--set`).

    Returns:
        The space file as it is written, and the document with the places of its values.

    Raises:
        ConfigError: every mistake, one line each with its place, the rule and a remedy.
    """
    return check(read(path, overrides))


def check(document: Document) -> tuple[SpaceFile, Document]:
    """Check a document that was read, as `load_space` does."""
    try:
        document = with_recipe(document)
    except ConfigError as error:
        raise ConfigError(str(error), *_beside_the_recipe(document)) from error
    try:
        return SpaceFile.model_validate(document.data), document
    except ValidationError as error:
        raise ConfigError(*explain(error, document, SpaceFile)) from error


def _beside_the_recipe(document: Document) -> Iterator[str]:
    """The other mistakes of a document whose recipe cannot be used, by means of one that can.

    Rules that concern several keys of a recipe are left out: they may hold for one only.
    """
    training = document.data["training"] | {"recipe": next(iter(recipes()))}
    data = document.data | {"training": training}
    try:
        document = with_recipe(document._replace(data=data))
        SpaceFile.model_validate(document.data)
    except ConfigError:
        return
    except ValidationError as error:
        if not {each["loc"] for each in error.errors()} & {(), ("training",)}:
            yield from explain(error, document, SpaceFile)
