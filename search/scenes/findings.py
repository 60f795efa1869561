"""Defects in the files of a data set: counted by kind, with the first of each named."""

from search.schema.yaml import ConfigError

_OFFICIAL = "put the official files there"


class LayoutError(ConfigError):
    """The files of a data set are not as published.

    Args:
        key: key of the data section that leads to them.
        problem: what is wrong, and the remedy.
    """

    def __init__(self, key: str, problem: str) -> None:
        super().__init__(f"data.{key}: {problem}")


class FileError(LayoutError):
    """A file cannot be used.

    Args:
        kind: what is wrong with it, in words that fit several files.
        where: which file, and what in it.

    Attributes:
        kind, where: same as the arguments.
    """

    def __init__(self, kind: str, where: str) -> None:
        super().__init__("root", f"{kind}: {where}; {_OFFICIAL}")
        self.kind, self.where = kind, where


class Findings:
    """Counts defects: some are only noted, the others make `check` fail."""

    def __init__(self) -> None:
        self._noted: dict[str, list[str]] = {}
        self._refused: dict[str, list[str]] = {}

    def note(self, kind: str, where: str) -> None:
        """Count something that is left out or corrected, to be reported once."""
        self._noted.setdefault(kind, []).append(where)

    def refuse(self, kind: str, where: str) -> None:
        """Count a defect with which the data set cannot be used."""
        self._refused.setdefault(kind, []).append(where)

    @property
    def notes(self) -> tuple[str, ...]:
        """A line for each kind that was noted: how many, and the first."""
        return tuple(
            f"{kind}: {len(found):,}, the first {found[0]}"
            for kind, found in self._noted.items()
        )

    def check(self) -> None:
        """Raise an error if there are defects with which the data set cannot be used.

        Raises:
            LayoutError: one kind per line: how many, and the first.
        """
        if self._refused:
            lines = [
                f"{kind}: {len(found):,}, the first {found[0]}; {_OFFICIAL}"
                for kind, found in self._refused.items()
            ]
            raise LayoutError("root", "\ndata.root: ".join(lines))
