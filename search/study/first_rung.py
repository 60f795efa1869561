"""The first rung of a search: a score decides which networks are trained. No torch here.

Its decisions are a function of the journal: a network is compared with those whose first score
precedes its own there, so neither a stop nor measurements running at once change them.
"""

import math
from bisect import bisect_right, insort

from search.schema.metrics import BASELINES, SCORES, Objective
from search.schema.zero_cost import ZeroCost
from search.study.events import Measured, Started

_DIGITS = 9  # digits kept of a number of networks: further ones are float rounding errors


class FirstRung:
    """Judges each network once, when the first score of its first trial is noted.

    Args:
        zero_cost: section of the study; without `keep` no network is rejected.
    """

    def __init__(self, zero_cost: ZeroCost | None) -> None:
        self._rule = zero_cost if zero_cost and zero_cost.keep is not None else None
        self._losses: list[float] = []  # of the networks so far, ascending: lower is better
        self._reasons: dict[int, str] = {}  # of each trial that was judged

    def note(self, started: Started, measured: Measured) -> None:
        """Take the measurement of a network, in the order of the journal.

        Args:
            started: the first trial of the network.
            measured: the measurement before its first epoch.
        """
        rule = self._rule
        if rule is None or started.trial in self._reasons:
            return
        assert rule.by is not None, "the schema asks for it beside keep"
        known = started.values(measured.values)
        # A network without a score, as when it does not distinguish two images, ranks last.
        loss = -known[rule.by] if rule.by in known else math.inf
        better = bisect_right(self._losses, math.nextafter(loss, -math.inf))
        insort(self._losses, loss)
        self._reasons[started.trial] = self._reason(rule, loss, better)

    def reason(self, trial: int) -> str:
        """Why a trial is not to be trained; empty where it is, or was not judged."""
        return self._reasons.get(trial, "")

    def _reason(self, rule: ZeroCost, loss: float, better: int) -> str:
        assert rule.keep is not None, "see above"
        scored = len(self._losses)
        kept = math.ceil(round(rule.keep * scored, _DIGITS))  # 0.28 * 25 is 7.000...01
        if scored <= rule.after or better < kept:
            return ""
        value = "has none" if math.isinf(loss) else _text(str(rule.by), -loss)
        return (
            f"{rule.by} {value} is number {better + 1:,} of the {scored:,} networks scored so "
            f"far, and the best {kept:,} ({100 * rule.keep:.3g} %) are trained"
        )


def _text(by: str, value: float) -> str:
    objective = Objective(by, "maximize", "counted") if by in BASELINES else SCORES[by]
    return objective.text(value)
