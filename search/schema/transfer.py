"""The transfer section: trained networks of other studies are the start of this study's task.

No torch here.
"""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from search.schema.metrics import Direction, Objective
from search.schema.section import Section
from search.schema.values import MisfitError

_FORM = "write, for example, {from: runs/imagenette}"


def places(value: Any) -> tuple[str, ...]:
    """A folder of a run, its `networks/`, or a `.safetensors` file; or a list of them.

    Raises:
        ValueError: it is none of these, or an empty list.
    """
    named = (value,) if isinstance(value, str) else value
    if not isinstance(named, tuple) or not all(isinstance(one, str) for one in named):
        raise ValueError(f"is not a place of trained weights; {_FORM}")
    if not all(named):
        raise ValueError(f"lists no trained weights; {_FORM}")
    if not named:
        raise ValueError(f"is empty; {_FORM}, or remove transfer")
    return tuple(dict.fromkeys(named))


class Transfer(Section):
    """Trained weights that backbones start from, seed by seed; heads start untrained."""

    sources: Annotated[tuple[str, ...], BeforeValidator(places)] = Field(alias="from")
    """Where the trained weights are: folders of runs, their `networks/`, or single
    `.safetensors` files with the `.json` beside each.
    """
    phase: Literal["search", "confirm"] = "search"
    """Which trials of a run the weights come from: those of its search, or of its confirmation.
    A file that is itself named may come from either.
    """


class SourceWeights(Section):
    """The trained weights that one trial's backbone starts from."""

    network: str
    """Name of the network here, which has the number of classes of this study."""
    repeat: int
    """Number of the repeat, of the network there and of the trial here."""
    source: str
    """The place as the space file gives it."""
    path: str
    """Path of the file."""
    sha256: str
    """Digest of the file."""
    scores: dict[str, float]
    """The last epoch's metrics of the trial that trained it, and those of the test images."""


class SourceObjective(Section):
    """The objective by which the networks of a source were compared."""

    name: str
    direction: Direction
    unit: str = ""
    complement: str = ""

    @property
    def objective(self) -> Objective:
        """The same as an `Objective`."""
        return Objective(self.name, self.direction, "reported", self.unit, self.complement)


class PlannedTransfer(Transfer):
    """The same in a plan, with every file of weights."""

    files: tuple[SourceWeights, ...]
    """One file for each network and seed."""
    objective: SourceObjective | None
    """How the networks were compared there; None where several runs differ in it."""
    outside: tuple[str, ...] = ()
    """Networks of the sources that are not in this space, or not inside its budget."""
    short: tuple[str, ...] = ()
    """Networks of this space that lack weights of some seeds, and which seeds they have."""

    def of(self, network: str, repeat: int) -> SourceWeights | None:
        """The weights that a trial starts from; None if the sources have none for its seed.

        Args:
            network: its name without settings.
            repeat: number of its seed.
        """
        own = (f for f in self.files if (f.network, f.repeat) == (network, repeat))
        return next(own, None)

    def extended(self, before: "PlannedTransfer | None") -> "PlannedTransfer":
        """The same with the seeds that the study was extended to before."""
        there = before.files if before else ()
        known = {(one.network, one.repeat) for one in self.files}
        more = tuple(one for one in there if (one.network, one.repeat) not in known)
        return self.model_copy(update={"files": (*self.files, *more)})


def check_transfer(transfer: Transfer | None, *, confirms: bool, replay: bool) -> None:
    """Check that a transfer fits the rest of a space file.

    Raises:
        MisfitError: it does not, with the key to look at.
    """
    if transfer is None:
        return
    if replay:
        raise MisfitError(
            "transfer",
            "gives networks initial weights for training, but a replay trains none; remove "
            "it, or write execution: trials",
        )
    if confirms:
        raise MisfitError(
            "confirm",
            "trains networks with fresh seeds, for which transfer.from has no weights; "
            "remove it, and write more search.seeds",
        )
