"""The events of the journal: a trial starts, resumes, reports, is lost, ends. No torch here."""

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
    """How a trial ended. Failure is data: none of these ends a study."""

    OK = "ok"
    PRUNED = "pruned"
    DIVERGED = "diverged"
    OUT_OF_MEMORY = "out-of-memory"
    FAILED = "failed"
    REJECTED = "rejected"  # because of a measurement of its network, and so not trained


CUT_SHORT = (Status.PRUNED, Status.REJECTED)  # such networks get no other seeds
SOUND = (Status.OK, *CUT_SHORT)  # the trial ran without an error
RETRIED = (Status.FAILED, Status.OUT_OF_MEMORY)  # what the user may ask to try again


@dataclass(frozen=True, slots=True, kw_only=True)
class _Record:
    """An event of a trial: one JSON object, whose kind is its `event`."""

    event: ClassVar[str] = ""

    trial: int

    def to_json(self) -> dict[str, Any]:
        """The object to write: the event's name, then every field. Nothing is copied."""
        # dataclasses.asdict copies every value: it takes seven times as long, for each epoch.
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        return {"event": self.event, **values}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read a record; keys that a later version added are ignored.

        In version 1 each metric was a key of its own: a key that is not a field is a metric.
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
    """The start of a trial: all that its result may depend on, besides the recipe.

    `macs` and `activations` are for one image at the trial's resolution. `settings`, those of
    the candidate, override the recipe; `tuned`, those of one try of a network, override both.
    """

    event: ClassVar[str] = "start"

    phase: Phase
    name: str
    architecture: dict[str, Any]
    seed: int
    epochs: int
    threads: int  # of a CPU; how they divide a sum of floats affects its result
    params: int
    macs: int
    activations: int
    time: float  # seconds since 1970
    repeat: int = 0  # of the network in this phase, each with another seed
    counted: dict[str, float] = field(default_factory=dict)  # by foreign objectives
    settings: dict[str, float] = field(default_factory=dict)
    tuned: dict[str, float] = field(default_factory=dict)
    tried: int = 0  # which try of the network's tuning it is

    @property
    def is_try(self) -> bool:
        """Whether it is a try of a network: a search trial with the first seed."""
        return self.phase == "search" and self.repeat == 0

    @property
    def configuration(self) -> Configuration:
        """The network and settings that are trained."""
        return Configuration(self.name, self.network(), self.settings, self.tuned, self.tried)

    @property
    def own(self) -> dict[str, float]:
        """All settings that are specific to the trial."""
        return {**self.settings, **self.tuned}

    def values(self, reported: Mapping[str, float]) -> dict[str, float]:
        """What the trial reported, and the counted values of its network, by name."""
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

    `metrics` are `train_<loss>` and, as `val_<metric>`, what the task reports of the
    validation images.
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
    """A measurement of a trial's untrained network, on its device, before its first epoch.

    `values` are by objective; where there is a spread they are medians, and `low` and `high`
    are the quartiles over `passes`. Trials of one network on one device share a measurement.
    """

    event: ClassVar[str] = "measured"

    values: dict[str, float]
    low: dict[str, float]
    high: dict[str, float]
    passes: dict[str, float]
    place: dict[str, Any]  # device, threads, precision, resolution
    alone: bool | None  # whether nothing else ran on the device; None where that is unknown
    others: float | None  # CPU cores kept busy by other processes during the measurement
    first: int  # the trial for which it was measured; scores are measured anew for each trial
    time: float = 0.0
    seconds: dict[str, float] = field(default_factory=dict)  # time of each zero-cost score


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """Progress of a trial within an epoch, or measurements before the first epoch."""

    trial: int
    share: float  # of the current epoch, 0 to 1
    seconds: float  # that this share took
    measured: Measured | None = None

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read what `dataclasses.asdict` wrote."""
        measured = data["measured"] and Measured.from_json(data["measured"])
        return cls(**{**data, "measured": measured})


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """Resources that a trial has taken so far; None where the device does not report them."""

    images_per_s: float | None = None  # of training, over all its epochs
    peak_memory: int | None = None  # bytes of the GPU, or of the worker process on a CPU
    energy: float | None = None  # joules, where one trial has a GPU to itself
    utilisation: float | None = None  # of the GPU's stated bf16 throughput (MFU), 0 to 1
    execution: str = ""  # eager, graphs or compile
    preparation: float = 0.0  # seconds of capturing graphs or compiling, outside all epochs
    parts: int = 1  # pieces that a batch was split into, for lack of memory or by the recipe


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended(_Record):
    """How a trial ended.

    `metrics` are those of its last epoch and, if it was trained completely, those of the test
    images as `test_<metric>`; empty where there are none.
    """

    event: ClassVar[str] = "end"

    status: Status
    reason: str = ""
    epochs: int = 0  # finished epochs
    metrics: dict[str, float] = field(default_factory=dict)
    seconds: float = 0.0  # of all its epochs
    device: str = ""
    time: float = 0.0
    taken: "Taken | None" = None  # None where the worker did not report it
    source: str = ""  # the run that trained it, if not this one

    def to_json(self) -> dict[str, Any]:
        """The object to write, as for every record."""
        return {**_Record.to_json(self), "taken": self.taken and asdict(self.taken)}

    def __post_init__(self) -> None:
        # JSON gives a word; ValueError for one that this version does not know.
        object.__setattr__(self, "status", Status(self.status))
        taken: Any = self.taken
        if isinstance(taken, dict):
            known = {each.name for each in fields(Taken)} & taken.keys()
            object.__setattr__(self, "taken", Taken(**{name: taken[name] for name in known}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost(_Record):
    """The infrastructure lost a live trial: its worker, its node, a file it needed.

    This is not a result of the network: the trial runs again, from its last checkpoint.
    """

    event: ClassVar[str] = "lost"

    reason: str
    times: int  # in a row, without a new epoch in between; counted from 1
    time: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Retried(_Record):
    """The user asked to retry a trial that had ended without success; it is live again."""

    event: ClassVar[str] = "retry"

    time: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumed(_Record):
    """The scheduler resumes a paused trial."""

    event: ClassVar[str] = "resume"

    time: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Known(_Record):
    """A finished trial of another run, which this run's sampler starts from.

    Its number is below 0: it is not a trial of this run.
    """

    event: ClassVar[str] = "known"

    name: str
    architecture: dict[str, Any]
    status: Status
    epochs: int
    values: dict[str, float]  # counted and reported values, by objective
    source: str  # the run's folder

    def __post_init__(self) -> None:
        object.__setattr__(self, "status", Status(self.status))

    def network(self) -> Architecture:
        """The network that was trained."""
        return architecture_from_json(self.architecture)


Record = Started | Measured | Epoch | Lost | Ended | Retried | Resumed | Known
