"""Read files of weights as tensors only."""

import hashlib
import json
import pickle
import re
import zipfile
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

    Objects of classes that torch does not accept as data, such as the settings of a training
    program, are read as empty objects.

    Raises:
        WeightsError: there is no such file, it is damaged, its SHA-256 differs from the one in
            the .json beside it, or it contains possible code in a form that cannot be skipped.
    """
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        known = ", ".join(_READERS)
        raise WeightsError(f"{path}: no kind of weights has this name; known are: {known}")
    if not path.is_file():
        raise WeightsError(f"{path}: there is no such file; give the path of a checkpoint")
    _check_digest(path)
    try:
        return reader(path)
    except Exception as error:  # a broken file can make its reader raise anything
        if _is_torchscript(path):
            raise WeightsError(
                f"{path}: is a whole program of TorchScript, not weights; load it with "
                f"torch.jit.load, and {HOW_TO_SAVE}"
            ) from error
        foreign = re.search(r"GLOBAL ([\w.]+)", str(error))
        problem = (
            f"contains more than tensors ({foreign[1]}), which may be code and is not read; "
            "if you trust it, open it with the program that wrote it, and"
            if foreign
            else f"cannot be read whole ({reason_of(error)}); fetch it again, or"
        )
        raise WeightsError(f"{path}: {problem} {HOW_TO_SAVE}") from error


def _is_torchscript(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            return any(name.endswith("/constants.pkl") for name in archive.namelist())
    except (OSError, zipfile.BadZipFile):
        return False


def _check_digest(path: Path) -> None:
    """Compare a file with the digest that a study saved beside it, if there is one."""
    beside = path.with_suffix(".json")
    try:
        noted = json.loads(beside.read_bytes())["sha256"]
    except (OSError, LookupError, TypeError, ValueError):  # another program's file, or none
        return
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != noted:
        raise WeightsError(
            f"{path}: is damaged, or not the file that {beside.name} describes (its SHA-256 is "
            f"{digest[:12]}, noted is {str(noted)[:12]}); restore both from a copy, or "
            f"remove sha256 from {beside.name}"
        )


class _Inert:
    """Replace an object of a class that is not imported: accept anything and keep nothing.

    Training programs store their settings, such as an argparse.Namespace, beside the weights.
    """

    def __init__(self, *_: object, **__: object) -> None:
        pass

    def __setstate__(self, _: object) -> None:
        pass


class _Mapping:
    """Replace an object that is filled like a dict: it becomes a dict."""

    def __new__(cls, *_: object, **__: object) -> OrderedDict[Any, Any]:  # type: ignore[misc]
        return OrderedDict()


class _List:
    """Replace an object that is filled like a list: it becomes a list."""

    def __new__(cls, *_: object, **__: object) -> list[Any]:  # type: ignore[misc]
        return []


def _read_torch(path: Path) -> object:
    try:
        names = get_unsafe_globals_in_checkpoint(path)
    except Exception:  # noqa: BLE001 - a file from before torch 1.6 does not list them
        names = []
    stands: dict[str, type] = dict.fromkeys(names, _Inert)
    while True:
        # One class for each name, because torch identifies them by class.
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
    """Read from torch's error message which object is a container, and of which kind."""
    told = re.search(r"Can only (SETITEM|append|extend).* but got <class '(.+)'>", problem)
    if told is None:
        return "", None
    kind = _Mapping if told[1] == "SETITEM" else _List
    names = [n for n, had in stands.items() if had is _Inert and told[2].endswith(f".{n}")]
    return (names[0], kind) if names else ("", None)


def _read_safetensors(path: Path) -> object:
    if printable(str(path)) == str(path):
        return safetensors.torch.load_file(path)
    return safetensors.torch.load(path.read_bytes())  # it cannot open a path that is not text


_READERS: dict[str, Callable[[Path], object]] = {
    **dict.fromkeys((".pth", ".pt", ".bin", ".tar", ".ckpt"), _read_torch),
    ".safetensors": _read_safetensors,
}


def reason_of(error: Exception) -> str:
    """State what is wrong, without the advice that libraries add."""
    told = re.search(r"WeightsUnpickler error:\s*(.+)", str(error))
    text = told[1] if told else str(error).strip().partition("\n")[0].partition(". ")[0]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
