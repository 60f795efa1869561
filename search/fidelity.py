"""Reports whether a study's early epochs rank its first networks well enough to stop on."""

import math
from collections.abc import Iterator

from search.design.agreement import LEVEL
from search.schedulers.checked import Findings

_MOST = 8  # at most so many epochs get a line of their own


def fidelity_lines(findings: Findings, *, at_least: float) -> Iterator[str]:
    """The lines that are printed once the first networks have finished.

    Args:
        findings: findings of a study.
        at_least: value that the lower end of an interval must reach.
    """
    yield (
        f"fidelity: {findings.networks} networks were fully trained; how closely an epoch "
        f"ranks them as the last one does (Kendall's tau_b, {LEVEL:.0%} interval over "
        "networks):"
    )
    epochs = list(findings.rungs)
    step = -(-len(epochs) // _MOST) if epochs else 1
    for epoch in epochs[::step]:
        tau, low, high = findings.rungs[epoch]
        if math.isnan(tau):
            yield f"  epoch {epoch}: all of them score the same: no trial is stopped there"
            continue
        words = (
            "trials may be stopped there"
            if epoch in findings.believed
            else f"no trial is stopped there (below {at_least:g})"
        )
        yield f"  epoch {epoch}: {tau:+.2f} ({low:+.2f} to {high:+.2f}): {words}"
    yield (
        f"  of {len(epochs)} such epochs {len(findings.believed)} are believed; if all of "
        "them were, the scheduler would have lost the best of these networks in "
        f"{findings.lost():.0%} of simulated searches"
    )
