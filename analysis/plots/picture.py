"""Writes a figure to the file given with --out, in the format of its suffix.

Input: a path, checked before anything is computed, then a figure. Output: a complete file, or
none.
"""

from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from analysis.plots.style import styled
from res2net.file_names import printable
from search.schema.files import replacing

SUFFIXES = (".png", ".pdf", ".svg", ".jpg", ".jpeg", ".tif", ".tiff", ".webp")
_NO_DATE: dict[str, dict[str, Any]] = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}


class PictureError(ValueError):
    """A picture cannot be written to the path of --out; states why and what can be."""


def check_out(out: Path) -> Path:
    """Check by its suffix and folder that a picture can be written to a path.

    Args:
        out: path from the command line.

    Returns:
        The same path.

    Raises:
        PictureError: it cannot be written.
    """
    shown = printable(str(out))
    if out.is_dir() or not out.parent.is_dir():
        raise PictureError(
            f"--out: {shown} cannot be written; give a file in a folder that exists"
        )
    if out.suffix.lower() not in SUFFIXES:
        said = f"the suffix {out.suffix!r} is unknown" if out.suffix else "there is no suffix"
        raise PictureError(
            f"--out: {shown}: {printable(said)}, but it gives the format; write one of: "
            f"{' '.join(SUFFIXES)}"
        )
    return out


def write_picture(figure: Figure, out: Path) -> None:
    """Write a figure in the format of a path's suffix, completely or not at all.

    Args:
        figure: the figure to write.
        out: path from `check_out`.

    Raises:
        OSError: the file cannot be written.
    """
    suffix = out.suffix.lower()
    with styled(), replacing(out) as file:
        # No date, so that the same figure gives the same file.
        figure.savefig(file, format=suffix.removeprefix("."), metadata=_NO_DATE.get(suffix))
