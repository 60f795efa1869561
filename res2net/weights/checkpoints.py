"""Read files of weights as tensors alone."""

import hashlib
import json
import pickle
import re
from collections import OrderedDict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from torch.serialization import get_unsafe_globals_in_checkpoint, safe_globals

from res2net.errors import WeightsError
from res2net.file_names import printable

HOW_TO_SAVE = "write it with torch.save(model.state_dict(), ...)"


def read_checkpoint(path: Path) -> object:
    """Read a .pth, .pt, .bin, .tar, .ckpt or .safetensors file; no code in it is run.

    Objects of classes that torch does not take for data, such as the settings of a training
    program, are read as objects without content.

    Raises:
        WeightsError: there is no such file, it is damaged, it is not the one whose SHA-256 the
            .json beside it has, or it holds what may be code in a form that cannot be left out.
    """
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        known = ", ".join(_READERS)
        raise WeightsError(f"{path}: no kind of weights is called so; known are: {known}")
    if not path.is_file():
        raise WeightsError(f"{path}: there is no such file; give the path of a checkpoint")
    _check_digest(path)
    try:
        return reader(path)
    except Exception as error:  # what a broken file makes its reader raise is anything
        foreign = re.search(r"GLOBAL ([\w.]+)", str(error))
        problem = (
            f"holds more than tensors ({foreign[1]}), which may be code and is not read; where "
            "it can be trusted, open it with the program that wrote it, and"
            if foreign
            else f"cannot be read whole ({reason_of(error)}); fetch it again, or"
        )
        raise WeightsError(f"{path}: {problem} {HOW_TO_SAVE}") from error


def _check_digest(path: Path) -> None:
    """Compare a file with the digest that a study noted beside it, where there is one."""
    beside = path.with_suffix(".json")
    try:
        noted = json.loads(beside.read_bytes())["sha256"]
    except (OSError, LookupError, TypeError, ValueError):  # somebody else's, or none
        return
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != noted:
        raise WeightsError(
            f"{path}: is damaged, or another file than {beside.name} tells of (its SHA-256 is "
            f"{digest[:12]}, noted is {str(noted)[:12]}); restore both from a copy, or take "
            "the line sha256 out of it"
        )


class _Inert:
    """Stand for an object of a class that is not imported: it takes anything and keeps nothing.

    Training programs store their settings, such as an argparse.Namespace, beside the weights.
    """

    def __init__(self, *_: object, **__: object) -> None:
        pass

    def __setstate__(self, _: object) -> None:
        pass


class _Mapping:
    """Stand for an object that is filled as a dict is: it becomes one."""

    def __new__(cls, *_: object, **__: object) -> OrderedDict[Any, Any]:  # type: ignore[misc]
        return OrderedDict()


class _List:
    """Stand for an object that is filled as a list is: it becomes one."""

    def __new__(cls, *_: object, **__: object) -> list[Any]:  # type: ignore[misc]
        return []


def _read_torch(path: Path) -> object:
    try:
        names = get_unsafe_globals_in_checkpoint(path)
    except Exception:  # noqa: BLE001 - a file of before torch 1.6, which has no list of them
        names = []
    stands: dict[str, type] = dict.fromkeys(names, _Inert)
    while True:
        # A class for each name, because torch knows them by the class.
        classes: list[Any] = [(type(name, (kind,), {}), name) for name, kind in stands.items()]
        try:
            with safe_globals(classes):
                return torch.load(path, map_location="cpu", weights_only=True)
        except pickle.UnpicklingError as error:
            name, kind = _container(str(error), stands)
            if kind is None:
                raise
            stands[name] = kind


def _container(problem: str, stands: Mapping[str, type]) -> tuple[str, type | None]:
    """Read from torch's refusal which object is a container, and of what kind."""
    told = re.search(r"Can only (SETITEM|append|extend).* but got <class '(.+)'>", problem)
    if told is None:
        return "", None
    kind = _Mapping if told[1] == "SETITEM" else _List
    names = [n for n, had in stands.items() if had is _Inert and told[2].endswith(f".{n}")]
    return (names[0], kind) if names else ("", None)


def _read_safetensors(path: Path) -> object:
    if printable(str(path)) == str(path):
        return safetensors.torch.load_file(path)
    return safetensors.torch.load(path.read_bytes())  # which opens no path that is no text


_READERS: dict[str, Callable[[Path], object]] = {
    **dict.fromkeys((".pth", ".pt", ".bin", ".tar", ".ckpt"), _read_torch),
    ".safetensors": _read_safetensors,
}


def reason_of(error: Exception) -> str:
    """Say what is wrong, without the advice that libraries put around it."""
    told = re.search(r"WeightsUnpickler error:\s*(.+)", str(error))
    text = told[1] if told else str(error).strip().partition("\n")[0].partition(". ")[0]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
