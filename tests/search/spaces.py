"""Small space files for tests."""

from pathlib import Path
from typing import Any

from search.schema.study_plan import StudyPlan
from search.schema.yaml import Document
from search.space.load import load_space
from search.space.resolve import Resolved, resolve

TINY = (Path(__file__).parent / "tiny.yaml").read_text(encoding="utf-8")

DIGITS = """\
study: small
network:
  skeleton: cifar
  planes: 2
  depth: [11, 20]
  scale: [1, 2]
  width: [1, 2]
data: {name: digits, validation: 237, train: 200}
training: {epochs: 2, batch_size: 50, lr: 0.1, precision: fp32}
search: {sampler: grid, seeds: 2}
"""

PAPER = """\
study: paper
network:
  depth: [20, 29, 38, 47, 56]
  cardinality: [1, 2, 4, 6, 8, 12]
  scale: [1, 2, 3, 4, 5, 6]
  width: {from: 4, to: 64}
budget:
  macs: {max: 4.0G, min: 3.6G}
data: {name: cifar100, validation: 5000}
training: {epochs: 60}
search: {trials: 100}
"""


def write(folder: Path, text: str = TINY, **replacements: str) -> Path:
    """Write a space file, each occurrence of a key replaced by its value."""
    for old, new in replacements.items():
        assert old in text, f"{old!r} is not in the space"
        text = text.replace(old, new)
    path = folder / "space.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def resolved_of(folder: Path, text: str = TINY, *overrides: str) -> Resolved:
    """The plan of a space file, and its candidates."""
    return resolve(*load_space(write(folder, text), overrides))


def load(path: Path, overrides: tuple[str, ...] = ()) -> tuple[StudyPlan, Document]:
    """The plan of a space file that is there, and the document."""
    space, document = load_space(path, overrides)
    return resolve(space, document).plan, document


def plan_of(folder: Path, text: str = TINY, *overrides: str) -> StudyPlan:
    """The plan of a space file."""
    return resolved_of(folder, text, *overrides).plan


def started_fields(**changes: Any) -> dict[str, Any]:
    """A whole start record, for tests that need only some of it."""
    fields: dict[str, Any] = {
        "trial": 0,
        "phase": "search",
        "name": "resnet11_2w_2p_4classes",
        "architecture": {},
        "seed": 1,
        "epochs": 3,
        "threads": 1,
        "params": 1,
        "macs": 1,
        "activations": 1,
        "time": 0.0,
    }
    return fields | changes
