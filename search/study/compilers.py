"""Finds the compiler that `torch.compile` calls. No torch here."""

import os
import shutil
from typing import NamedTuple


class Compiler(NamedTuple):
    """Of a language: the `names` that were looked for, of which `variable` may give another.

    `found` is the path of the first that is there; empty where none is.
    """

    language: str
    variable: str
    names: tuple[str, ...]
    found: str


def compiler_for(*, gpu: bool) -> Compiler:
    """The compiler of the passes of a trial: of C for a GPU's kernels, else of C++."""
    language, variable = "C++", "CXX"
    names: tuple[str, ...] = ("g++",)
    if gpu:
        language, variable, names = "C", "CC", ("gcc", "clang")
    if asked := os.environ.get(variable):
        names = (asked,)
    found = next(filter(None, map(shutil.which, names)), "")
    return Compiler(language, variable, names, found)
