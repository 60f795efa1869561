"""Finds the compiler that `torch.compile` calls. No torch here."""

import os
import shutil
import sysconfig
from pathlib import Path
from typing import NamedTuple


class Compiler(NamedTuple):
    """The compiler of a language: `names` were searched for; `variable` can name another.

    `found` is the path of the first one found, or empty; `lacks` says in words what is missing.
    """

    language: str
    variable: str
    names: tuple[str, ...]
    found: str
    lacks: str


def compiler_for(*, gpu: bool) -> Compiler:
    """The compiler that `torch.compile` needs: C for the kernels of a GPU, else C++."""
    language, variable = "C++", "CXX"
    names: tuple[str, ...] = ("g++",)
    if gpu:
        language, variable, names = "C", "CC", ("gcc", "clang")
    if asked := os.environ.get(variable):
        names = (asked,)
    found = next(filter(None, map(shutil.which, names)), "")
    lacks = "" if found else " or ".join(names)
    header = Path(sysconfig.get_path("include"), "Python.h")
    if found and gpu and not header.is_file():  # Triton compiles a module of Python
        found, lacks = "", f"{header} (a package such as python3-dev)"
    return Compiler(language, variable, names, found, lacks)
