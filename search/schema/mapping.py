"""Reads a space that a program gives as a mapping, instead of a file. No torch here.

Takes a mapping with whatever values a program has, such as paths, numpy's numbers, sets and
ranges; gives values that a file could contain.
"""

import os
from collections.abc import Iterator, Mapping, Sequence, Set, ValuesView
from typing import Any

import numpy as np

from search.schema.yaml import ConfigError

_Key = str | int | float | None
_SEVERAL = (Sequence, Set, Iterator, ValuesView)
_BYTES = (bytes, bytearray, memoryview)


def plain_mapping(space: Mapping[Any, Any]) -> dict[Any, Any]:
    """The same space in text, numbers, lists and dicts.

    Args:
        space: mapping as a program made it.

    Raises:
        ConfigError: a value that a file could not contain, with its key.
    """
    try:
        return _mapping(space, ())
    except RecursionError as error:
        raise ConfigError("space: contains itself; write out what it should contain") from error


def _mapping(value: Mapping[Any, Any], place: tuple[str, ...]) -> dict[Any, Any]:
    keys = [key.item() if isinstance(key, np.generic) else key for key in value]
    odd = next((key for key in keys if not isinstance(key, _Key)), None)
    if odd is not None:
        raise _refused(place, f"has the key {odd!r}, a {_kind(odd)}; write text")
    twice = next((key for key in keys if [str(one) for one in keys].count(str(key)) > 1), None)
    if twice is not None:
        raise _refused(
            place, f"has the key {twice!r} twice, once as text and once as a number; keep one"
        )
    ones = zip(keys, value.values(), strict=True)
    return {key: _plain(one, (*place, str(key))) for key, one in ones}


def _plain(value: Any, place: tuple[str, ...]) -> Any:
    if callable(tolist := getattr(value, "tolist", None)):  # of numpy, pandas or torch
        value = tolist()
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, Mapping):
        return _mapping(value, place)
    if isinstance(value, os.PathLike):
        return os.fsdecode(value)
    if isinstance(value, _SEVERAL) and not isinstance(value, _BYTES):
        return [_plain(one, (*place, str(at))) for at, one in enumerate(value)]
    raise _refused(
        place,
        f"is a {_kind(value)}, which a file cannot contain; write text, a number or a list",
    )


def _refused(place: tuple[str, ...], problem: str) -> ConfigError:
    return ConfigError(": ".join(filter(None, ("space", ".".join(place), problem))))


def _kind(value: Any) -> str:
    kind = type(value)
    module = "" if kind.__module__ == "builtins" else f"{kind.__module__}."
    return f"{module}{kind.__qualname__}"
