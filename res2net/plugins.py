"""Import plugins: `package.module:attribute` or `path/to/file.py:attribute`.

A path is absolute or relative to the current folder. A file is run once per process, under its
own module name, and `sys.path` stays unchanged: it can import installed packages, but not the
files beside it. No torch here.
"""

import difflib
import hashlib
import importlib
import importlib.metadata
import importlib.util
import os
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from res2net.file_names import path_of

_FORM = re.compile(
    r"(?P<module>[^\n]+\.py|[^\W\d]\w*(\.[^\W\d]\w*)*):(?P<attribute>[^\W\d]\w*)"
)
_FORMS = "package.module:attribute or path/to/file.py:attribute"


class PluginError(ValueError):
    """Raised where a plugin cannot be imported; states the text, the problem and the remedy."""


class Plugin(NamedTuple):
    """Hold an imported value and where it came from."""

    value: Any
    name: str  # the text that it was imported by
    source: Path | None  # file of the module; None where the module has none
    version: str | None  # of the installed distribution; None where there is none
    digest: str | None  # SHA-256 of the file, or of all Python files of its package


def load_plugin(text: str) -> Plugin:
    """Import a plugin and record its origin.

    Args:
        text: `package.module:attribute` or `path/to/file.py:attribute`.

    Raises:
        PluginError: the text has another form, the module cannot be imported, or it has no
            such attribute.
    """
    value = import_attribute(text)
    location, _ = _split(text)
    module = _module_of(text, location)
    source = Path(module.__file__).resolve() if module.__file__ else None
    if _is_file(location):
        assert module.__spec__ is not None, "made in _run_file"
        return Plugin(value, text, source, None, module.__spec__.loader_state)
    package = location.partition(".")[0]
    return Plugin(value, text, source, _version_of(package), _digest_of(package, source))


def import_attribute(text: str) -> Any:
    """Import only the value, which is cheaper than `load_plugin`; raises the same errors."""
    location, attribute = _split(text)
    module = _module_of(text, location)
    if not hasattr(module, attribute):
        public = [name for name in vars(module) if not name.startswith("_")]
        near = difflib.get_close_matches(attribute, public, n=1)
        remedy = f"did you mean {near[0]!r}?" if near else f"it has {_listed(public)}"
        raise PluginError(f"{text}: {location} has no attribute {attribute!r}; {remedy}")
    return getattr(module, attribute)


def split_plugin(text: str) -> tuple[str, str] | None:
    """Split a text into module (or file) and attribute; None where it has another form."""
    form = _FORM.fullmatch(text)
    return (form["module"], form["attribute"]) if form else None


def _split(text: str) -> tuple[str, str]:
    pair = split_plugin(text) if isinstance(text, str) else None
    if pair is None:
        raise PluginError(f"{text!r} is not a plugin; write {_FORMS}")
    return pair


def _is_file(location: str) -> bool:
    return location.endswith(".py")


def _module_of(text: str, location: str) -> ModuleType:
    path = path_of(location).resolve() if _is_file(location) else None
    if path is not None and not path.is_file():
        raise PluginError(
            f"{text}: there is no file {path}; write its absolute path, or its path from the "
            "current folder"
        )
    try:
        return importlib.import_module(location) if path is None else _run_file(path)
    except Exception as error:  # imported code may raise anything
        remedy = "correct the file" if path else "install it, or write the path of a file"
        reason = f"{type(error).__name__}: {error}"
        raise PluginError(f"{text}: cannot be imported ({reason}); {remedy}") from error


def _run_file(path: Path) -> ModuleType:
    """Run a file as a module, once; later calls get the same module."""
    name = f"plugin_{path.stem}_{hashlib.sha256(os.fsencode(path)).hexdigest()[:8]}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None, "it is a .py file"
    assert spec.loader is not None, "it is a .py file"
    # Stored with the module, because the file may have changed when the digest is needed.
    spec.loader_state = _sha256([path])
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and pickle look their module up here
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _version_of(package: str) -> str | None:
    distributions = importlib.metadata.packages_distributions().get(package)
    return importlib.metadata.version(distributions[0]) if distributions else None


def _digest_of(package: str, source: Path | None) -> str | None:
    """Hash every Python file of a top-level package, or the file of a single module."""
    folders = list(getattr(sys.modules[package], "__path__", ()))
    if folders:
        return _sha256(
            sorted(file for folder in folders for file in Path(folder).rglob("*.py"))
        )
    return _sha256([source]) if source else None


def _sha256(files: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _listed(names: list[str]) -> str:
    return ", ".join(sorted(names)[:8]) or "none"
