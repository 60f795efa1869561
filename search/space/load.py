"""Loads a space file and validates it against its schema; nothing is counted yet."""

from pathlib import Path

from pydantic import ValidationError

from search.schema.messages import explain
from search.schema.recipes import with_recipe
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
    document = with_recipe(document)
    try:
        return SpaceFile.model_validate(document.data), document
    except ValidationError as error:
        raise ConfigError(*explain(error, document, SpaceFile)) from error
