"""Selects the form of a law that best predicts the held-out largest sizes.

R^2 is not used, because every form fits the data it has seen (Alabdulmohsin et al., 2022,
section 3).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from analysis.scaling.forms import Array, Form
from analysis.scaling.law import DELTA, fit
from analysis.scaling.points import FEWEST_SIZES, Refusal, check


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """How well each form predicted the largest sizes.

    Args:
        held_out: the sizes that were not fitted.
        rmse: root mean square error of the log error over these networks, by form name.
        baseline: the same for a constant: the mean log error of the fitted sizes.
        best: the form with the lowest rmse.
    """

    held_out: tuple[float, ...]
    rmse: dict[str, float]
    baseline: float
    best: Form

    @property
    def beats_baseline(self) -> bool:
        """False where size predicts nothing; then no form should be trusted."""
        return self.rmse[self.best.name] < self.baseline


class HeldOut(NamedTuple):
    """Errors in log error on sizes that were not fitted, of the form and of a constant."""

    sizes: tuple[float, ...]
    rmse: float
    baseline: float


def held_out(
    points: pd.DataFrame,
    form: Form,
    *,
    n: int | None = None,
    delta: float = DELTA,
    fewest: int = FEWEST_SIZES,
) -> HeldOut:
    """Fit a form without the largest sizes and judge it on these.

    Args:
        points: see `analysis.scaling.points`.
        form: the form to judge.
        n: number of distinct sizes to hold out; None for a fifth, but at least one.
        delta: delta of the Huber loss.
        fewest: minimum number of sizes left for the fit, if more than the form itself needs.

    Returns:
        The sizes held out, and the root mean square error in log error of the form and of a
        constant (the mean log error of the fitted rows), over the mean errors of the networks
        of these sizes.

    Raises:
        Refusal: too few sizes are left for a fit, or the trials do not support a law.
    """
    check(points, chance=form.chance or 100.0)
    sizes = np.sort(points["size"].unique())
    n = max(1, round(len(sizes) / 5)) if n is None else n
    fewest = max(fewest, len(form.parameters) + 1)
    if not 1 <= n <= len(sizes) - fewest:
        raise Refusal(
            f"{len(sizes)} sizes less {n} held out are fewer than {fewest}",
            "train networks of more sizes, or compare forms with fewer parameters",
        )
    seen = points[points["size"] <= sizes[-n - 1]]
    unseen = points[points["size"] > sizes[-n - 1]].groupby("network")[["size", "error"]].mean()
    truth = np.log(unseen["error"].to_numpy(dtype=float))
    law = fit(seen, form=form, delta=delta)
    foretold = np.log(law.errors(unseen["size"].to_numpy(dtype=float)))
    constant = float(np.log(seen["error"].to_numpy(dtype=float)).mean())
    return HeldOut(tuple(sizes[-n:].tolist()), _rms(foretold - truth), _rms(constant - truth))


def choose(
    points: pd.DataFrame,
    forms: Sequence[Form],
    *,
    n: int | None = None,
    delta: float = DELTA,
) -> Judgement:
    """Choose the form that best predicts the held-out largest sizes.

    Args:
        points: see `analysis.scaling.points`.
        forms: candidates, with different names.
        n: number of distinct sizes to hold out; None for a fifth, but at least one.
        delta: delta of the Huber loss.

    Raises:
        Refusal: as for `held_out`, where any form cannot be judged.
    """
    fewest = max(len(form.parameters) + 1 for form in forms)
    judged = [held_out(points, form, n=n, delta=delta, fewest=fewest) for form in forms]
    best = min(range(len(forms)), key=lambda i: judged[i].rmse)
    return Judgement(
        held_out=judged[0].sizes,
        rmse={form.name: miss.rmse for form, miss in zip(forms, judged, strict=True)},
        baseline=judged[0].baseline,
        best=forms[best],
    )


def _rms(miss: Array) -> float:
    return float(np.sqrt((miss**2).mean()))
