"""docs/space_file.md is what the schema says."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from search import load_space
from search.schema.budget import Band
from search.schema.parts import Choice, NoOptions
from search.schema.reference import EXAMPLES, described, reference
from search.schema.schedulers import SCHEDULERS
from search.schema.search import Base
from search.schema.section import Section
from search.schema.space_file import SpaceFile
from tests.docs.examples import TINY

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


def test_the_document_is_what_the_schema_says() -> None:
    written = DOCUMENT.read_text(encoding="utf-8")
    assert written == reference(), "run: python -m search.schema.reference > docs/space_file.md"


@pytest.mark.parametrize("section", SECTIONS, ids=lambda s: s.__name__)
def test_every_key_has_a_meaning(section: type[Section]) -> None:
    for name, _, meaning, unit in described(section):
        assert meaning.endswith("."), name
        assert "]" not in unit, name
        assert f"| `{name}` |" in reference()


@pytest.mark.parametrize("title", EXAMPLES)
def test_an_example_is_read(title: str) -> None:
    yaml = YAML(typ="safe", pure=True)
    example: dict[str, Any] = yaml.load(EXAMPLES[title])
    if title != "the file":
        example = yaml.load(TINY.read_text(encoding="utf-8")) | example
        example["training"] = example["training"] | {"epochs": 30}
    assert load_space(example).file.study


def test_it_starts_without_torch() -> None:
    code = "import search.schema.reference, sys; print('torch' in sys.modules)"
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert ran.stdout.strip() == "False"
