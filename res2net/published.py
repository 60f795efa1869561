"""List the networks of the paper with their printed figures, to compare with our counts.

Sources: Tables 1 to 4 and Fig. 5 of the paper (TPAMI 43(2), 2021) and its project page. The
paper counts the parameters of its CIFAR networks with a 10-class head; so do these rows.
Its "FLOPs" are multiply-adds.
"""

import operator
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from res2net.architecture import Architecture
from res2net.cost import Cost, cost
from res2net.names import parse


class Published(NamedTuple):
    """Hold one printed row; fields are None where nothing was printed."""

    table: str
    name: str
    architecture: Architecture
    image_size: int
    params_m: str | None
    gmacs: str | None
    top1_error: float | None  # percent
    note: str = ""
    idle: Cost = Cost(0, 0, 0)  # in the published module, but its results are never used

    def counted(self) -> Cost:
        """Count the row's network at the row's image size."""
        return cost(self.architecture, image_size=self.image_size)

    def as_published(self) -> Cost:
        """Count it including what the published module contains but never uses."""
        return Cost(*map(operator.add, self.counted(), self.idle))


# Input channels, output channels and side of the published DLA-60's unused projections:
# level3.project, level4.project, level4.tree1.project.
_IDLE_PROJECTIONS = ((128, 256, 28), (256, 512, 14), (256, 512, 14))
_IDLE = Cost(
    params=sum(i * o + 2 * o for i, o, _ in _IDLE_PROJECTIONS),
    macs=sum(i * o * side**2 for i, o, side in _IDLE_PROJECTIONS),
    activations=sum(o * side**2 for _, o, side in _IDLE_PROJECTIONS),
)
_IDLE_NOTE = "published with 297,472 parameters of projections that are never used"
_SE = "reduction 16 with biases; the paper does not state them, no one convention fits all"
_SENET = "SE-ResNet-50; reduction 16 with biases"

# Name, side, params (M), MACs (G), top-1 error, note.
_IMAGENET: tuple[tuple[str, int, str | None, str | None, float | None, str], ...] = (
    ("ResNet-50", 224, None, "4.2", 23.85, "4.2 cannot be matched: 4.1"),
    ("Res2Net-50-48w-2s", 224, "25.29", "4.2", 22.68, ""),
    ("Res2Net-50-26w-4s", 224, "25.70", "4.2", 22.01, "4.2 truncates"),
    ("Res2Net-50-14w-8s", 224, "25.06", "4.2", 21.86, ""),
    ("Res2Net-50-26w-6s", 224, "37.05", "6.3", 21.42, ""),
    ("Res2Net-50-26w-8s", 224, "48.40", "8.3", 20.80, ""),
    ("Res2Net-50-18w-4s", 224, None, "2.9", 22.92, "Res2Net-50-L"),
    ("Res2Net-101-26w-4s", 224, "45.21", "8.1", 20.81, ""),
    ("ResNeXt-50", 224, None, None, 22.61, "32x4d"),
    ("Res2NeXt-50", 224, "24.67", "4.2", 21.76, ""),
    ("DLA-60", 224, None, None, 23.32, _IDLE_NOTE),
    ("Res2Net-DLA-60", 224, "21.15", "4.2", 21.53, _IDLE_NOTE),
    ("DLA-X-60", 224, None, None, 22.19, _IDLE_NOTE),
    ("Res2NeXt-DLA-60", 224, "17.33", "3.6", 21.55, f"3.6 counts norms too; {_IDLE_NOTE}"),
    ("Res2Net-v1b-50", 224, "25.72", "4.5", 19.73, ""),
    ("Res2Net-v1b-101", 224, "45.23", "8.3", 18.77, ""),
    ("Res2Net-v1b-152", 224, None, None, None, "weights announced, no figures printed"),
    ("Res2Net-v1d-200", 224, "76.21", "15.7", None, "PaddleClas; 76.21 truncates"),
    ("SENet-50", 224, None, None, 23.24, _SENET),
    ("SE-Res2Net-50", 224, None, None, 21.56, _SE),
    ("bLResNet-50", 224, "26.69", "2.85", 22.41, "alpha 2, beta 4; 2.85 truncates"),
    ("bLRes2Net-50", 224, None, None, 21.68, "26w4s in bLResNet-50; no code, no width printed"),
    ("Res2Net-50-299", 299, None, None, 21.41, "at 299 px"),
)

_CIFAR: tuple[tuple[str, str, float, str], ...] = (
    ("ResNeXt-29, 8c x 64w", "34.4", 17.90, ""),
    ("ResNeXt-29, 16c x 64w", "68.1", 17.31, "68.1 truncates"),
    ("Res2NeXt-29, 6c x 24w x 4s", "24.3", 16.98, ""),
    ("Res2NeXt-29, 8c x 25w x 4s", "33.8", 16.93, ""),
    ("Res2NeXt-29, 6c x 24w x 6s", "36.7", 16.79, ""),
    ("ResNeXt-29, 8c x 64w, SE", "35.1", 16.77, _SE),
    ("Res2NeXt-29, 6c x 24w x 4s, SE", "26.0", 16.68, _SE),
    ("Res2NeXt-29, 8c x 25w x 4s, SE", "34.0", 16.64, _SE),
    ("Res2NeXt-29, 6c x 24w x 6s, SE", "36.9", 16.56, _SE),
)

_FIG5_SERIES = {
    "base": ("29d-6c-1s",),
    "scale": ("29d-6c-2s", "29d-6c-3s", "29d-6c-4s", "29d-6c-5s", "29d-6c-6s"),
    "cardinality": ("29d-12c-1s", "29d-18c-1s", "29d-24c-1s", "29d-30c-1s", "29d-36c-1s"),
    "depth": ("56d-6c-1s", "83d-6c-1s", "110d-6c-1s", "137d-6c-1s", "164d-6c-1s"),
}
_FIG5_ERROR = {"29d-6c-4s": 16.98, "29d-6c-6s": 16.79}  # the two points that Table 4 prints


def published() -> Iterator[Published]:
    """Yield every row: ImageNet (Tables 1 to 3 and the page), CIFAR-100 (Table 4), Fig. 5."""
    for name, side, params, gmacs, error, note in _IMAGENET:
        network = parse(name)
        idle = _IDLE if network.skeleton == "dla" else Cost(0, 0, 0)
        yield Published("imagenet", name, network, side, params, gmacs, error, note, idle)
    for name, params, cifar_error, note in _CIFAR:
        network = replace(parse(name), classes=10)
        yield Published("cifar100", name, network, 32, params, None, cifar_error, note)
    for series, names in _FIG5_SERIES.items():
        for name in names:
            network = replace(parse(name), classes=10)
            error_or_none = _FIG5_ERROR.get(name)
            yield Published("fig5", name, network, 32, None, None, error_or_none, series)


def matches(row: Published) -> bool | None:
    """Tell whether the published module's counts round or truncate to the printed figures.

    None where nothing is printed.
    """
    if row.params_m is None and row.gmacs is None:
        return None
    counted = row.as_published()
    pairs = ((row.params_m, counted.params, 6), (row.gmacs, counted.macs, 9))
    return all(
        printed is None or printed in _as_printed(count, exponent, like=printed)
        for printed, count, exponent in pairs
    )


def _as_printed(count: int, exponent: int, *, like: str) -> tuple[str, str]:
    """Write `count / 10**exponent`, rounded and truncated, with the decimals of `like`."""
    decimals = len(like.partition(".")[2])
    unit = 10 ** (exponent - decimals)
    rounded, truncated = (count + unit // 2) // unit, count // unit
    return f"{rounded / 10**decimals:.{decimals}f}", f"{truncated / 10**decimals:.{decimals}f}"
