"""Finds the run that an environment variable names, from where the user stands.

Jupyter runs a notebook in the notebook's folder, whatever folder it was started in: a path such
as runs/x, written where the command was started, has to be looked for there as well.
"""

import os
from pathlib import Path

from analysis.runs.run import RunError
from res2net.file_names import path_of, printable, text_of
from search.study.journal import FILE

_ANALYSIS = Path(__file__).parents[1]


def named_run(variable: str, *, default: str) -> Path:
    """Find the folder of the run that an environment variable names.

    A relative path is looked for in the folder where the command was started, in the current
    one (in Jupyter that of the notebook), and in its parent (the repository); `~` and
    variables in it are replaced.

    Args:
        variable: such as RES2NET_BUDGET.
        default: a path below `analysis`, for when the variable is not set or empty.

    Raises:
        RunError: there is no run; with every place that was looked at.
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
                "the path of a run's folder, whole or from where you started the command"
            )
        )
    return found


def _holds_run(folder: Path) -> bool:
    return (folder / FILE).is_file()


def _places() -> list[Path]:
    """Where a relative path may begin, what is most likely meant first."""
    here = Path.cwd()
    # Shells keep PWD, and a kernel that is started in another folder still has theirs.
    started = Path(os.environ.get("PWD") or here)
    return [*([started] if started.is_absolute() else []), here, here.parent]
