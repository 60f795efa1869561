"""Finds the runs that a command names, and the one that an environment variable names.

Jupyter runs a notebook in the notebook's folder, whatever folder it was started in. A path such
as runs/x, relative to where the command was started, must be looked up there as well.
"""

import os
from collections.abc import Sequence
from pathlib import Path

from analysis.runs.run import Run, RunError, read_run
from res2net.file_names import path_of, printable, text_of
from search.study.journal import FILE

_ANALYSIS = Path(__file__).parents[1]


def read_runs(folders: Sequence[Path]) -> list[Run]:
    """Read runs that are compared with each other, or counted together.

    Args:
        folders: their folders.

    Raises:
        RunError: one is named twice, also by another spelling of its path, or is no run.
        JournalError: a journal is damaged or from a newer version.
    """
    seen: set[Path] = set()
    for folder in folders:
        if folder.resolve() in seen:
            raise RunError(f"{folder}: is named twice; name each run once")
        seen.add(folder.resolve())
    return [read_run(folder) for folder in folders]


def named_run(variable: str, *, default: str) -> Path:
    """Find the folder of the run that an environment variable names.

    A relative path is searched for in the folder where the command was started, in the current
    folder (in Jupyter, the notebook's), and in its parent (the repository); `~` and variables
    in it are replaced.

    Args:
        variable: name of the variable, such as RES2NET_BUDGET.
        default: a path below `analysis`, for when the variable is not set or empty.

    Raises:
        RunError: there is no run; the message lists every place searched.
    """
    given = os.environ.get(variable, "")
    if not given:
        return next(
            (path for path in (Path(default), _ANALYSIS / default) if _holds_run(path)),
            Path(default),
        )
    path = path_of(text_of(given))
    candidates = list(dict.fromkeys(folder / path for folder in _places()))
    found = next((each for each in candidates if _holds_run(each)), None)
    if found is None:
        looked = ", ".join(str(each) for each in candidates)
        raise RunError(
            printable(
                f"{variable}: {given!r} names no run: there is no {FILE} in {looked}; write "
                "the path of a run's folder, absolute or from where you started the command"
            )
        )
    return found


def _holds_run(folder: Path) -> bool:
    return (folder / FILE).is_file()


def _places() -> list[Path]:
    """Folders that a relative path may start from, most likely first."""
    here = Path.cwd()
    # Shells set PWD, and a kernel started in another folder still has the shell's value.
    started = Path(os.environ.get("PWD") or here)
    return [*([started] if started.is_absolute() else []), here, here.parent]
