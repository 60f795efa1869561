"""The events of the journal: a trial starts, goes on, reports, is lost, ends. No torch here."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from typing import Any, ClassVar, Literal, Self

from res2net import Architecture
from search.schema.metrics import VALIDATION
from search.space.configuration import Configuration, architecture_from_json

JOURNAL_VERSION = 3  # 1 held each metric as a key of its own; 3 has checksums
Phase = Literal["search", "confirm"]


class Status(StrEnum):
    """How a trial ended. Failure is data: none of them ends a study."""

    OK = "ok"
    PRUNED = "pruned"
    DIVERGED = "diverged"
    OUT_OF_MEMORY = "out-of-memory"
    FAILED = "failed"
    REJECTED = "rejected"  # by what was measured of its network, and so not trained


CUT_SHORT = (Status.PRUNED, Status.REJECTED)  # of such a network there is no other seed
SOUND = (Status.OK, *CUT_SHORT)  # nothing went wrong in it


@dataclass(frozen=True, slots=True, kw_only=True)
class _Record:
    """Something that happened to a trial: one JSON object, named by its `event`."""

    event: ClassVar[str] = ""

    trial: int

    def to_json(self) -> dict[str, Any]:
        """The object to write: the event's name, then every field. Nothing is copied."""
        # dataclasses.asdict copies whatever it finds: seven times as long, for each epoch.
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        return {"event": self.event, **values}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read it back; keys that a later version added are left aside.

        In version 1 each metric was a key of its own: what is no field was one.
        """
        names = [each.name for each in fields(cls) if each.name in data]
        read = {name: data[name] for name in names}
        if "metrics" in cls.__slots__ and "metrics" not in data:
            known = {"event", *(each.name for each in fields(cls))}
            read["metrics"] = {
                key: value
                for key, value in data.items()
                if key not in known and value is not None
            }
        return cls(**read)


@dataclass(frozen=True, slots=True, kw_only=True)
class Started(_Record):
    """A trial as it was decided: all that its result may depend on, beside the recipe.

    `macs` and `activations` are for one image at the trial's resolution. `settings` lie over
    the recipe, those of the candidate; `tuned` over these, those of one try of a network.
    """

    event: ClassVar[str] = "start"

    phase: Phase
    name: str
    architecture: dict[str, Any]
    seed: int
    epochs: int
    threads: int  # of a CPU; sums of floats depend on how they are shared out
    params: int
    macs: int
    activations: int
    time: float  # seconds since 1970
    repeat: int = 0  # of this network in this phase, each with another seed
    counted: dict[str, float] = field(default_factory=dict)  # by foreign objectives
    settings: dict[str, float] = field(default_factory=dict)
    tuned: dict[str, float] = field(default_factory=dict)
    tried: int = 0  # which try of the network's tuning it is

    @property
    def is_try(self) -> bool:
        """Whether it is a try of a network: in the search, with the first seed."""
        return self.phase == "search" and self.repeat == 0

    @property
    def configuration(self) -> Configuration:
        """What is trained."""
        return Configuration(self.name, self.network(), self.settings, self.tuned, self.tried)

    @property
    def own(self) -> dict[str, float]:
        """All that the trial has of its own beside its network."""
        return {**self.settings, **self.tuned}

    def values(self, reported: Mapping[str, float]) -> dict[str, float]:
        """What the trial reported, with what was counted of its network, by name."""
        return {
            **reported,
            **self.counted,
            "macs": self.macs,
            "params": self.params,
            "activations": self.activations,
        }

    def network(self) -> Architecture:
        """The network that is trained."""
        return architecture_from_json(self.architecture)


@dataclass(frozen=True, slots=True, kw_only=True)
class Epoch(_Record):
    """One epoch of a trial.

    `metrics` are `train_<loss>` and what the task reports of the validation images,
    `val_<metric>`.
    """

    event: ClassVar[str] = "epoch"

    epoch: int  # counted from 1
    metrics: dict[str, float]
    images_per_s: float  # training only
    seconds: float  # training and validation

    @property
    def validation(self) -> dict[str, float]:
        """The metrics of the validation images."""
        return {
            name: value for name, value in self.metrics.items() if name.startswith(VALIDATION)
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured(_Record):
    """What was measured of a trial's network, untrained, on its device before its first epoch.

    `values` are by objective, medians where there is a spread: `low` and `high` are then the
    quartiles of so many `passes`. Trials of one network on one device share one measurement.
    """

    event: ClassVar[str] = "measured"

    values: dict[str, float]
    low: dict[str, float]
    high: dict[str, float]
    passes: dict[str, float]
    place: dict[str, Any]  # device, threads, precision, resolution
    alone: bool | None  # whether nothing else ran on the device; None where nobody can tell
    others: float | None  # CPU cores that other processes kept busy meanwhile
    first: int  # the trial before which it was measured; its scores are the trial's own
    time: float = 0.0
    seconds: dict[str, float] = field(default_factory=dict)  # that each zero-cost score took


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """How far a trial is inside an epoch; what was measured before the first one."""

    trial: int
    share: float  # of the epoch under way, 0 to 1
    seconds: float  # that this share took
    measured: Measured | None = None

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read what `dataclasses.asdict` made."""
        measured = data["measured"] and Measured.from_json(data["measured"])
        return cls(**{**data, "measured": measured})


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What a trial takes, as far as it went; None where the device does not tell."""

    images_per_s: float | None = None  # of training, over all its epochs
    peak_memory: int | None = None  # bytes of the GPU; of the worker process on a CPU
    energy: float | None = None  # joules, where one trial has a GPU to itself
    utilisation: float | None = None  # of the GPU's stated bf16 throughput (MFU), 0 to 1
    execution: str = ""  # eager, graphs or compile
    preparation: float = 0.0  # seconds of capturing graphs or compiling, in no epoch
    parts: int = 1  # that a batch was cut into, for want of memory or as the recipe says


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended(_Record):
    """How a trial ended.

    `metrics` are those of its last epoch, and where it was trained whole those of the test
    images, `test_<metric>`; empty where there are none.
    """

    event: ClassVar[str] = "end"

    status: Status
    reason: str = ""
    epochs: int = 0  # that were finished
    metrics: dict[str, float] = field(default_factory=dict)
    seconds: float = 0.0  # of all its epochs
    device: str = ""
    time: float = 0.0
    taken: "Taken | None" = None  # None where the worker could not say
    source: str = ""  # the run that trained it, where that is another one

    def to_json(self) -> dict[str, Any]:
        """As of every record."""
        return {**_Record.to_json(self), "taken": self.taken and asdict(self.taken)}

    def __post_init__(self) -> None:
        # From JSON it comes as a word; ValueError for one that this version does not know.
        object.__setattr__(self, "status", Status(self.status))
        taken: Any = self.taken
        if isinstance(taken, dict):
            known = {each.name for each in fields(Taken)} & taken.keys()
            object.__setattr__(self, "taken", Taken(**{name: taken[name] for name in known}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost(_Record):
    """The infrastructure lost a trial under way: its worker, its node, a file it needed.

    That is no result of the network: the trial is run again, from its last checkpoint.
    """

    event: ClassVar[str] = "lost"

    reason: str
    times: int  # in a row, without a new epoch in between; counted from 1
    time: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Retried(_Record):
    """A trial that had ended without success is under way again, because a person asked."""

    event: ClassVar[str] = "retry"

    time: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumed(_Record):
    """A paused trial goes on, because the scheduler said so."""

    event: ClassVar[str] = "resume"

    time: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Known(_Record):
    """A finished trial of another run, which the sampler of this one begins with.

    Its number is below 0: it is no trial of this run.
    """

    event: ClassVar[str] = "known"

    name: str
    architecture: dict[str, Any]
    status: Status
    epochs: int
    values: dict[str, float]  # counted and reported, by objective
    source: str  # the run's folder

    def __post_init__(self) -> None:
        object.__setattr__(self, "status", Status(self.status))

    def network(self) -> Architecture:
        """The network that was trained."""
        return architecture_from_json(self.architecture)


Record = Started | Measured | Epoch | Lost | Ended | Retried | Resumed | Known
