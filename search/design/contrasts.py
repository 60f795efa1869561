"""Plans comparisons of networks before any is trained: each is a weighted sum of their means.

Takes the series that each network lies on, and its cost; both are known from the survey. Gives
contrasts, whose weights sum to 0, so that what a seed adds to all networks alike cancels.
`search.plan` derives from them what a study can show, `analysis` estimates them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from search.design.reading import reading

BASE = "base"  # series of the network where the axes meet
DIMENSIONS = ("scale", "cardinality", "depth", "width")
ALL_SIZES = "all sizes"
SIZES = ("params", "macs")
MOST = 11  # networks: with 12 there are 66 pairs, few of which can be told apart
ALIKE = 1.05  # ratio of multiply-adds up to which sizes count as equal

_SPAN = 1.5  # least ratio of multiply-adds within a series for a slope

FloatArray = npt.NDArray[np.float64]


class Member(NamedTuple):
    """A network of a study along axes: its series, and its costs."""

    name: str
    series: str  # the dimension in which it differs from the base, or BASE
    label: str  # such as 4s
    params: int
    macs: int

    def size(self, kind: str) -> float:
        """Its parameters or multiply-adds."""
        return float(self.params if kind == "params" else self.macs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Contrast:
    """A comparison of networks: the weighted sum of their mean scores.

    Attributes:
        kind: "group" (several networks of a series against another series at equal size),
            "network" (one of them), "slope" (score by a doubling of multiply-adds), "pair"
            (two networks), or "own" (written in the space file).
        label: which networks of the series, such as "2s" or "all sizes".
        weights: weight of each network; they sum to 0.
        of: the series, or the first network.
        against: the other series, or the second network; empty for a single slope.
        size: what is held equal, "params" or "macs"; empty if nothing is.
    """

    kind: str
    label: str
    weights: Mapping[str, float]
    of: str
    against: str = ""
    size: str = ""


def equal_size(
    members: Sequence[Member], *, of: str = "scale", size: str = "params"
) -> list[Contrast]:
    """Contrasts of a series with each other one at equal size.

    For each network of the series `of`, the other series is read at the same size
    (`search.design.reading`); the base belongs to each series. Where the other series has no
    network as large (within 5 %), there is no contrast.

    Args:
        members: networks of a study along axes, each once.
        of: the series that is compared with the others.
        size: what is held equal.

    Returns:
        For each other series, by rising size: a contrast of kind "network" for each network;
        of kind "group" for the small, the middle and the large ones, if there are three or
        more; and the mean over them all, labelled "all sizes".
    """
    found: list[Contrast] = []
    for against in (name for name in DIMENSIONS if name != of):
        mine, weights = _at_equal_size(members, of, against, size)
        names = [one.name for one in members]
        for kind, label, rows in _groups([one.label for one in mine]):
            mean = weights[rows].mean(axis=0)
            kept = {name: float(w) for name, w in zip(names, mean, strict=True) if w}
            found.append(
                Contrast(
                    kind=kind, label=label, weights=kept, of=of, against=against, size=size
                )
            )
    return found


def why_not_equal_size(members: Sequence[Member], of: str, against: str, *, size: str) -> str:
    """Why a series cannot be compared with another at equal size; empty where it can."""
    if all(one.series != of for one in members):
        return f"there is no network along {of}"
    others = [one.size(size) for one in members if one.series in (against, BASE)]
    if len(others) < 2:
        return f"there are not two networks along {against}, the base counted"
    if not _reached(members, of, others, size):
        return f"no size along {of} lies within those along {against}"
    return ""


def slopes(members: Sequence[Member], *, of: str = "scale") -> list[Contrast]:
    """What a doubling of multiply-adds along each series gains, and how far slopes differ.

    The slope is that of least squares on the logarithm of multiply-adds, through the networks
    of the series and the base, each counted once. If the multiply-adds of the networks differ
    by less than half, there is no slope: where a dimension is solved for the budget, all cost
    the same.

    Args:
        members: networks of a study along axes, each once.
        of: the series whose slope is compared with each other one.

    Returns:
        A contrast of kind "slope" for each series of two or more networks, including the base;
        and for the difference of `of` and each other one.
    """
    rising = {
        name: weights for name in DIMENSIONS if (weights := _slope(members, name)) is not None
    }
    single = [
        Contrast(kind="slope", label="slope", weights=weights, of=name, size="")
        for name, weights in rising.items()
    ]
    if of not in rising:
        return single
    return single + [
        Contrast(
            kind="slope",
            label="difference of slopes",
            weights={
                key: rising[of].get(key, 0.0) - weights.get(key, 0.0)
                for key in {**rising[of], **weights}
            },
            of=of,
            against=name,
        )
        for name, weights in rising.items()
        if name != of
    ]


def along_axes(members: Sequence[Member], *, of: str = "scale") -> list[Contrast]:
    """All contrasts planned for a study along axes: `equal_size` of both sizes, and `slopes`.

    If only one series varies, also every two networks (or all against the base, if there are
    more than 11). Otherwise also the networks of series without sizes, such as
    squeeze-and-excitation or another skeleton, against the base. Labels of both give the ratio
    of their multiply-adds.

    Args:
        members: networks of the study, each once.
        of: the series that the study is about.
    """
    return [
        *(one for size in SIZES for one in equal_size(members, of=of, size=size)),
        *slopes(members, of=of),
        *_within_one(members),
        *_others(members),
    ]


def pairs(names: Sequence[str], *, base: str | None = None) -> list[Contrast]:
    """The difference of each network and each later one, or of each and the base.

    Args:
        names: names of the networks, each once.
        base: the network that all others are compared with; None for all pairs.
    """
    if base is not None:
        chosen = [(name, base) for name in names if name != base]
    else:
        chosen = [(a, b) for i, a in enumerate(names) for b in names[i + 1 :]]
    return [
        Contrast(kind="pair", label=f"{a} minus {b}", weights={a: 1, b: -1}, of=a, against=b)
        for a, b in chosen
    ]


def _within_one(members: Sequence[Member]) -> list[Contrast]:
    """Every two networks of a study with a single series."""
    series = {one.series for one in members}
    if BASE not in series or len(series) != 2:
        return []
    ordered = sorted(members, key=lambda one: one.macs)
    known = {one.name: one for one in ordered}
    base = next((one.name for one in ordered if one.series == BASE), None)
    found = pairs(list(known), base=base if len(known) > MOST else None)
    return [
        replace(one, label=_two(known[one.of], known[one.against]))
        for one in (_larger_first(one, known) for one in found)
    ]


def _others(members: Sequence[Member]) -> list[Contrast]:
    """Networks of series that are not dimensions, against the base."""
    series = {one.series for one in members}
    base = next((one for one in members if one.series == BASE), None)
    if base is None or len(series) <= 2:  # every two networks are compared already
        return []
    return [
        Contrast(
            kind="pair",
            label=_two(one, base),
            weights={one.name: 1.0, base.name: -1.0},
            of=one.name,
            against=base.name,
        )
        for one in members
        if one.series not in (*DIMENSIONS, BASE)
    ]


def _larger_first(pair: Contrast, known: Mapping[str, Member]) -> Contrast:
    if known[pair.of].macs >= known[pair.against].macs:
        return pair
    turned = {name: -weight for name, weight in pair.weights.items()}
    return replace(pair, of=pair.against, against=pair.of, weights=turned)


def _two(a: Member, b: Member) -> str:
    ratio = a.macs / b.macs
    size = "equal MACs" if 1 / ALIKE <= ratio <= ALIKE else f"x{ratio:.2f} MACs"
    return f"{a.label} minus {b.label} ({size})"


def _at_equal_size(
    members: Sequence[Member], of: str, against: str, size: str
) -> tuple[list[Member], FloatArray]:
    """The networks of a series within another's sizes, and weights (networks, members)."""
    if why_not_equal_size(members, of, against, size=size):
        return [], np.zeros((0, len(members)))
    others = [i for i, one in enumerate(members) if one.series in (against, BASE)]
    reach = [members[i].size(size) for i in others]
    within = _reached(members, of, reach, size)
    within.sort(key=lambda i: members[i].size(size))
    weights = np.zeros((len(within), len(members)))
    weights[:, others] = -reading(reach, [members[i].size(size) for i in within])
    weights[np.arange(len(within)), within] = 1.0
    return [members[i] for i in within], weights


def _reached(
    members: Sequence[Member], of: str, reach: Sequence[float], size: str
) -> list[int]:
    """Indices of a series' networks that are within the sizes of another series."""
    low, high = min(reach), max(reach) * ALIKE
    return [
        i for i, one in enumerate(members) if one.series == of and low <= one.size(size) <= high
    ]


def _groups(labels: Sequence[str]) -> Iterator[tuple[str, str, list[int]]]:
    """Kind, label and rows: each network, the small, middle and large ones, and all."""
    count = len(labels)
    yield from (("network", label, [i]) for i, label in enumerate(labels))
    if count >= 3:
        # A remainder of the division goes to the later groups: 2s; 3s, 4s; 5s, 6s.
        edges = [0, count // 3, count // 3 + (count + 1) // 3, count]
        for start, end in pairwise(edges):
            yield "group", _joined(labels[start:end]), list(range(start, end))
    if count:
        yield "group", ALL_SIZES, list(range(count))


def _joined(labels: Sequence[str]) -> str:
    return labels[0] if len(labels) == 1 else f"{', '.join(labels[:-1])} and {labels[-1]}"


def _slope(members: Sequence[Member], series: str) -> dict[str, float] | None:
    mine = [one for one in members if one.series in (series, BASE)]
    doublings = np.log2([one.size("macs") for one in mine])
    if len(mine) < 2 or np.ptp(doublings) < np.log2(_SPAN):
        return None
    away = doublings - doublings.mean()
    return dict(zip([one.name for one in mine], (away / (away @ away)).tolist(), strict=True))
