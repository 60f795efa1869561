"""What is amiss in the files of a data set: counted by kind, the first of each named."""

from search.schema.yaml import ConfigError

_OFFICIAL = "put the official files there"


class LayoutError(ConfigError):
    """The files of a data set are not as they are published.

    Args:
        key: of the data section that leads there.
        problem: what is wrong, and the remedy.
    """

    def __init__(self, key: str, problem: str) -> None:
        super().__init__(f"data.{key}: {problem}")


class FileError(LayoutError):
    """A file cannot be used.

    Args:
        kind: what is wrong with it, in words for several.
        where: which file, and what in it.

    Attributes:
        kind, where: the same.
    """

    def __init__(self, kind: str, where: str) -> None:
        super().__init__("root", f"{kind}: {where}; {_OFFICIAL}")
        self.kind, self.where = kind, where


class Findings:
    """Counts what is amiss: some is only noted, the rest refused in the end."""

    def __init__(self) -> None:
        self._noted: dict[str, list[str]] = {}
        self._refused: dict[str, list[str]] = {}

    def note(self, kind: str, where: str) -> None:
        """Something that is left out or set right, and said once."""
        self._noted.setdefault(kind, []).append(where)

    def refuse(self, kind: str, where: str) -> None:
        """Something with which the data set cannot be used."""
        self._refused.setdefault(kind, []).append(where)

    @property
    def notes(self) -> tuple[str, ...]:
        """A line of each kind that was noted: how many, and the first."""
        return tuple(
            f"{kind}: {len(found):,}, the first {found[0]}"
            for kind, found in self._noted.items()
        )

    def check(self) -> None:
        """Refuse what was found.

        Raises:
            LayoutError: a kind on each line: how many, and the first.
        """
        if self._refused:
            lines = [
                f"{kind}: {len(found):,}, the first {found[0]}; {_OFFICIAL}"
                for kind, found in self._refused.items()
            ]
            raise LayoutError("root", "\ndata.root: ".join(lines))
