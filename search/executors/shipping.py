"""Ships code to the machines of a cluster, so that they need no checkout. No Ray here.

What is shipped is a folder: `res2net`, `search`, and the foreign parts that a plan names.
Libraries (torch, ray and the others) are not shipped: every machine has them.
"""

import contextlib
import importlib.util
import shutil
import site
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import res2net
from res2net.file_names import path_of
from res2net.plugins import split_plugin
from search.schema.study_plan import StudyPlan

_OURS = (Path(res2net.__file__).parent, Path(__file__).parents[1])  # res2net, search
_NEVER = shutil.ignore_patterns("__pycache__", ".*", "*.pyc")
_DATA = ("data", "runs")  # left out, except packages of these names


def _not_code(folder: str, names: list[str]) -> set[str]:
    """Names that are left out when a folder is copied."""
    data = {
        name
        for name in _DATA
        if name in names and not Path(folder, name, "__init__.py").exists()
    }
    return data | _NEVER(folder, names)


class Shipped(NamedTuple):
    """What workers are started with.

    Attributes:
        environment: Ray's `runtime_env`; None where they run on this machine.
        path: folders where they look for modules, after their own.
        here: the folder to which relative paths refer.
    """

    environment: dict[str, Any] | None
    path: list[str]
    here: str


@contextlib.contextmanager
def shipped(plan: StudyPlan, *, away: bool) -> Iterator[Shipped]:
    """What workers need of this process's code; removed once they have begun.

    Args:
        plan: names the parts.
        away: whether workers are on other machines; otherwise they find all code in place.
    """
    here = str(Path.cwd())
    if not away:
        yield Shipped(None, [*sys.path], here)
        return
    with tempfile.TemporaryDirectory(prefix="res2net-code-") as name:
        folder = Path(name)
        for package in _OURS:
            shutil.copytree(package, folder / package.name, ignore=_not_code)
        beside = [str(each) for each in _copy_parts(plan, folder)]
        yield Shipped({"working_dir": name}, [*dict.fromkeys(beside)], here)


def _copy_parts(plan: StudyPlan, folder: Path) -> Iterator[Path]:
    """Copy foreign parts; yields the folders of modules, for modules that those import."""
    for location in dict.fromkeys(_locations(plan.model_dump())):
        if location.endswith(".py"):
            _copy_file(location, folder)
            continue
        source = _source(location.partition(".")[0])
        if source is None or _is_installed(source):
            continue
        yield source.parent
        there = folder / source.name
        if source.is_dir():
            shutil.copytree(source, there, ignore=_not_code, dirs_exist_ok=True)
        else:
            shutil.copy(source, there)


def _locations(data: Any) -> Iterator[str]:
    """Files and modules that a plan names, in any of its values."""
    if isinstance(data, dict):
        data = list(data.values())
    if isinstance(data, list | tuple):
        for each in data:
            yield from _locations(each)
    elif isinstance(data, str) and (pair := split_plugin(data)):
        yield pair[0]


def _copy_file(location: str, folder: Path) -> None:
    """Copy a file below this folder; any other file must exist on every machine."""
    path, there = path_of(location), (folder / path_of(location)).resolve()
    if path.is_file() and not path.is_absolute() and there.is_relative_to(folder.resolve()):
        there.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, there)


def _source(module: str) -> Path | None:
    """The folder or file of a top-level module; None where it has none, or several."""
    spec = importlib.util.find_spec(module)
    if spec is None:
        return None
    folders = list(spec.submodule_search_locations or ())
    if folders:
        return Path(folders[0]).resolve() if len(folders) == 1 else None
    return Path(spec.origin).resolve() if spec.has_location and spec.origin else None


def _is_installed(source: Path) -> bool:
    """Whether a module is an installed library, or this project's."""
    paths = sysconfig.get_paths()
    libraries = [paths["stdlib"], paths["purelib"], paths["platlib"], *_users()]
    ours = [package.resolve() for package in _OURS]
    return source in ours or any(
        source.is_relative_to(Path(each).resolve()) for each in libraries
    )


def _users() -> list[str]:
    return [site.getusersitepackages()] if site.ENABLE_USER_SITE else []
