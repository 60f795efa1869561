"""Decides what a console can show, whatever TERM and FORCE_COLOR say of it. No torch here."""

from rich.console import Console

_LINES = 25  # any number: tables are not fitted to the height


def can_redraw(console: Console) -> bool:
    """Whether a console can redraw lines that it has shown, as a live display does.

    FORCE_COLOR, usual in CI, makes rich take a file or pipe for a terminal; a dumb terminal, as
    in Emacs, cannot move its cursor.
    """
    isatty = getattr(console.file, "isatty", None)  # a logger's stdout may have none
    try:
        at_terminal = isatty is not None and isatty()
    except ValueError:  # it was closed
        return False
    return at_terminal and console.is_terminal and not console.is_dumb_terminal


def console_of(width: int) -> Console:
    """A console on stdout of exactly this width, which shows text as it is.

    Args:
        width: its columns, which may be more than the terminal has.
    """
    # On a dumb terminal rich ignores a width that comes without a height.
    return Console(width=width, height=_LINES, markup=False, highlight=False, emoji=False)
