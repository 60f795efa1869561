"""The results that a replay takes: for each network what every trial of it reported."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from res2net import Architecture
from search.schema.metrics import TRAIN
from search.schema.study_plan import StudyPlan
from search.study.events import Status


class CellEpoch(NamedTuple):
    """One epoch of a recorded trial; fields as in `search.study.events.Epoch`."""

    metrics: Mapping[str, float]
    seconds: float
    images_per_s: float = 0.0


class Cell(NamedTuple):
    """A trial that was trained to its end, or failed on the way.

    Attributes:
        epochs: the epochs that it reported.
        status, reason: how it ended.
        metrics: reported at its end.
        device: the device that trained it; empty where that is not known.
        seed: the seed that it was trained with; None where that is not known.
    """

    epochs: tuple[CellEpoch, ...]
    status: Status = Status.OK
    reason: str = ""
    metrics: Mapping[str, float] = {}
    device: str = ""
    seed: int | None = None

    def is_trial_of(self, other: "Cell") -> bool:
        """Whether both are the same trial of a network: of the same seed, or of equal numbers.

        Losses of two trainings differ; coarse metrics, such as errors, may be equal by chance.
        """
        if None not in (self.seed, other.seed):
            return self.seed == other.seed
        mine, theirs = ([one.metrics for one in each.epochs] for each in (self, other))
        fine = any(name.startswith(TRAIN) for metrics in mine for name in metrics)
        return fine and mine == theirs and self.metrics == other.metrics


Cells = Mapping[Architecture, tuple[Cell, ...]]


class Source(NamedTuple):
    """Results from one place.

    Attributes:
        place: place as the space file names it.
        digest: SHA-256 of the file that holds them.
        cells: cells of each network, by repeat.
        plan: the plan by which they were trained; None where that was not recorded.
        partial: number of trials left out: unfinished, or stopped early.
        processor: kind of CPU that trained them; empty where that was not recorded.
    """

    place: str
    digest: str
    cells: Cells
    plan: StudyPlan | None = None
    partial: int = 0
    processor: str = ""


class Results(NamedTuple):
    """All results that a study replays.

    Attributes:
        cells: cells of each network, by repeat.
        repeats: number of repeats that every candidate has.
        seed: seed of the study that trained them.
    """

    cells: Cells
    repeats: int
    seed: int

    def cell(self, network: Architecture, repeat: int, seed: int) -> Cell:
        """The recorded trial for repeat `repeat` of a study of seed `seed`.

        A study with the seed of the results takes the repeats in order; each higher seed starts
        one repeat later, and after the last repeat comes the first.
        """
        return self.cells[network][(repeat + seed - self.seed) % self.repeats]


def joined(sources: Sequence[Source]) -> dict[Architecture, tuple[Cell, ...]]:
    """The cells of all sources; repeats of a network in several are concatenated in order.

    A trial that several sources hold counts once: one training is not several seeds.
    """
    cells: dict[Architecture, tuple[Cell, ...]] = {}
    for source in sources:
        for network, ones in source.cells.items():
            there = list(cells.get(network, ()))
            for one in ones:
                same = [n for n, other in enumerate(there) if one.is_trial_of(other)]
                if not same:
                    there.append(one)
                elif there[same[0]].status is not Status.OK:  # it may have ended well elsewhere
                    there[same[0]] = one
            cells[network] = tuple(there)
    return cells
