"""docs/space_file.md is what the schema says."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from search import load_space
from search.schema.budget import Band
from search.schema.examples import EXAMPLES
from search.schema.parts import Choice, NoOptions
from search.schema.reference import described, reference
from search.schema.schedulers import SCHEDULERS
from search.schema.search import Base
from search.schema.section import Section
from search.schema.space_file import SpaceFile
from tests.docs.examples import TINY, blocks

DOCUMENT = Path(__file__).parents[2] / "docs" / "space_file.md"
SECTIONS = [
    SpaceFile,
    *(
        kind
        for field in SpaceFile.model_fields.values()
        for kind in (field.annotation, *getattr(field.annotation, "__args__", ()))
        if isinstance(kind, type) and issubclass(kind, Section) and kind is not Choice
    ),
    Band,
    Base,
    *(f.options for f in SCHEDULERS.ours.values() if f.options not in (None, NoOptions)),
]


@pytest.fixture(scope="module")
def said() -> str:
    return reference()


def test_the_document_is_what_the_schema_says(said: str) -> None:
    written = DOCUMENT.read_text(encoding="utf-8")
    assert written == said, "run: python -m search.schema.reference > docs/space_file.md"


@pytest.mark.parametrize("section", SECTIONS, ids=lambda s: s.__name__)
def test_every_key_has_a_meaning(section: type[Section], said: str) -> None:
    for name, _, meaning, unit in described(section):
        assert meaning.endswith("."), name
        assert "]" not in unit, name
        assert f"| `{name}` |" in said


@pytest.mark.parametrize("lines", EXAMPLES.values(), ids=EXAMPLES)
def test_an_example_is_read(lines: str) -> None:
    assert load_space(_whole(lines)).file.study


def test_the_lines_of_the_other_documents_are_read() -> None:
    documents = [DOCUMENT.parents[1] / "README.md", *sorted(DOCUMENT.parent.glob("*.md"))]
    for path in documents:
        if path.name == "adding_a_part.md":  # whose examples are run
            continue
        for language, lines in blocks(path.read_text(encoding="utf-8")):
            if language == "yaml":
                assert load_space(_whole(lines)).file.study, lines


def _whole(lines: str) -> dict[str, Any]:
    """The tiny space, with the sections of some lines in place of its own."""
    yaml = YAML(typ="safe", pure=True)
    space: dict[str, Any] = yaml.load(TINY.read_text(encoding="utf-8"))
    space["training"]["epochs"] = 30
    space |= yaml.load(lines)
    return space


def test_it_starts_without_torch() -> None:
    code = "import search.schema.reference, sys; print('torch' in sys.modules)"
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert ran.stdout.strip() == "False"
