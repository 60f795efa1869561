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
        overrides: `key.subkey=value` texts laid over it (`--set`).

    Returns:
        The space file as it is written, and the document that knows where its values stand.

    Raises:
        ConfigError: everything that is wrong, one line each with place, rule and remedy.
    """
    return check(read(path, overrides))


def check(document: Document) -> tuple[SpaceFile, Document]:
    """Check a document that was read; as `load_space`."""
    document = with_recipe(document)
    try:
        return SpaceFile.model_validate(document.data), document
    except ValidationError as error:
        raise ConfigError(*explain(error, document, SpaceFile)) from error
