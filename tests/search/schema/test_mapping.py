"""A space from a program may hold what programs have at hand; the rest is refused in words."""

from collections.abc import Callable
from datetime import date
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest

from search.preparation import open_space
from search.schema.mapping import plain_mapping
from search.schema.yaml import ConfigError


def space(**network: Any) -> dict[str, Any]:
    return {
        "study": "given",
        "network": {"skeleton": "cifar", "planes": 2, "depth": 11, "width": 2, **network},
        "data": {"name": "synthetic", "validation": 64},
        "training": {"epochs": 1, "batch_size": 32, "lr": 0.1},
        "search": {"sampler": "grid"},
    }


@pytest.mark.parametrize(
    "widths",
    [
        np.arange(1, 4),
        [np.int64(1), np.int32(2), np.uint8(3)],
        range(1, 4),
        (1, 2, 3),
        {1, 2, 3},
        {1: "a", 2: "b", 3: "c"}.keys(),
        iter([1, 2, 3]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_numbers_may_come_as_a_program_has_them(widths: Any) -> None:
    assert open_space(space(width=widths)).file.network.width == (1, 2, 3)


def test_paths_are_text_and_numbers_of_numpy_are_numbers() -> None:
    given = MappingProxyType(
        space()
        | {
            "training": {"epochs": np.int64(3), "batch_size": 32, "lr": np.float32(0.5)},
            "search": {"sampler": "tpe", "trials": 2, "warm_start": [Path("runs") / "a"]},
            "data": {"name": "synthetic", "validation": 64, "root": PurePosixPath("/images")},
        }
    )
    file, document = open_space(given)
    assert (file.training.epochs, file.training.lr) == (3, 0.5)
    assert tuple(file.search.warm_start) == ("runs/a",)
    assert str(file.data.root) == "/images"
    assert open_space(space()).file == open_space(space(depth=np.array(11))).file
    assert "/images" in document.text, "it is kept like a file"


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (
            lambda: space(width=[1, date(2026, 1, 1)]),
            "space: network.width.1: is a datetime.date",
        ),
        (lambda: space(depth=b"11"), "space: network.depth: is a bytes, which a file cannot"),
        (lambda: space(depth=object), "space: network.depth: is a type, which a file cannot"),
        (lambda: space(depth=1j), "space: network.depth: is a complex, which a file cannot"),
        (lambda: space(depth=np.array([1j])), "space: network.depth.0: is a complex"),
        (lambda: space() | {(1, 2): 3}, r"space: has the key \(1, 2\), a tuple; write text"),
        (lambda: space(width={(1,): 3}), r"space: network.width: has the key \(1,\), a tuple"),
    ],
    ids=range(7),
)
def test_what_no_file_could_say_is_refused_with_its_place(
    made: Callable[[], dict[Any, Any]], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        open_space(made())


def test_what_holds_itself_is_refused() -> None:
    given: dict[str, Any] = space()
    given["network"]["width"] = [given]
    with pytest.raises(ConfigError, match="space: contains itself"):
        plain_mapping(given)
