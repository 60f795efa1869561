"""The transfer section: trained networks of other studies are taken to this study's task.

No torch here.
"""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from search.schema.metrics import Direction, Objective
from search.schema.section import Section
from search.schema.values import MisfitError

_FORM = "write such as {from: runs/imagenette}"


def places(value: Any) -> tuple[str, ...]:
    """A folder of a run, its `networks/`, or a `.safetensors` file; or a list of them.

    Raises:
        ValueError: it is none, or names none.
    """
    named = (value,) if isinstance(value, str) else value
    if not isinstance(named, tuple) or not all(isinstance(one, str) for one in named):
        raise ValueError(f"is no place of trained weights; {_FORM}")
    if not all(named):
        raise ValueError(f"names no trained weights; {_FORM}")
    if not named:
        raise ValueError(f"is empty; {_FORM}, or take transfer out")
    return tuple(dict.fromkeys(named))


class Transfer(Section):
    """Whose trained weights backbones begin with, seed by seed; heads begin fresh."""

    sources: Annotated[tuple[str, ...], BeforeValidator(places)] = Field(alias="from")
    """Where the trained weights lie: folders of runs, their `networks/`, or single
    `.safetensors` files with the `.json` beside each.
    """
    phase: Literal["search", "confirm"] = "search"
    """Which trials of a run they are of: those of its search, or those of its confirmation. A
    file that is named itself may be of either.
    """


class SourceWeights(Section):
    """The trained weights that one trial's backbone begins with."""

    network: str
    """Name of the network here, which has the classes of this study."""
    repeat: int
    """Of the network there, and of the trial here."""
    source: str
    """The place as the space file names it."""
    path: str
    """Of the file."""
    sha256: str
    """Of the file."""
    scores: dict[str, float]
    """What the trial reported that trained it: of its last epoch, and of the test images."""


class SourceObjective(Section):
    """By which the networks of a source were compared."""

    name: str
    direction: Direction
    unit: str = ""
    complement: str = ""

    @property
    def objective(self) -> Objective:
        """The same as studies have it."""
        return Objective(self.name, self.direction, "reported", self.unit, self.complement)


class PlannedTransfer(Transfer):
    """The same in a plan, with every file that it takes."""

    files: tuple[SourceWeights, ...]
    """One for each network and seed."""
    objective: SourceObjective | None
    """By which the networks were compared there; None where several runs differ in it."""
    outside: tuple[str, ...] = ()
    """Networks there that are not in this space, or not inside its budget."""
    short: tuple[str, ...] = ()
    """Networks of this space that have weights, but not of every seed, with what they have."""

    def of(self, network: str, repeat: int) -> SourceWeights:
        """What a trial begins with.

        Args:
            network: its name without settings.
            repeat: which of its seeds.
        """
        return next(f for f in self.files if (f.network, f.repeat) == (network, repeat))

    def extended(self, before: "PlannedTransfer | None") -> "PlannedTransfer":
        """The same with the seeds that the study was extended to before."""
        there = before.files if before else ()
        known = {(one.network, one.repeat) for one in self.files}
        more = tuple(one for one in there if (one.network, one.repeat) not in known)
        return self.model_copy(update={"files": (*self.files, *more)})


def check_transfer(transfer: Transfer | None, *, confirms: bool, replay: bool) -> None:
    """See that a transfer goes with the rest of a space file.

    Raises:
        MisfitError: it does not, with the key to look at.
    """
    if transfer is None:
        return
    if replay:
        raise MisfitError(
            "transfer",
            "gives networks weights to be trained from, and a replay trains none; take it out, "
            "or write execution: trials",
        )
    if confirms:
        raise MisfitError(
            "confirm",
            "trains networks with fresh seeds, of which transfer.from has no weights; take it "
            "out, and write more search.seeds",
        )
