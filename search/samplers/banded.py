"""One sampler for each band of a budget, so that each gets the same number of trials."""

from collections.abc import Callable

import numpy as np

from search.samplers.base import Outcome, Sampler, SpaceExhausted
from search.space.survey import Survey


class Banded:
    """Distributes trials over the bands in turn; each band is searched as its own space.

    Args:
        survey: the candidates of all bands.
        per_band: networks to try in each; of a band that holds fewer, all are tried.
        make: makes the sampler of a band from its candidates.
    """

    def __init__(
        self, survey: Survey, per_band: int, make: Callable[[Survey], Sampler]
    ) -> None:
        kinds = range(int(survey.bands.max()) + 1)
        self._members = [np.flatnonzero(survey.bands == kind) for kind in kinds]
        self._band = survey.bands
        self._place = np.empty(len(survey), dtype=np.intp)  # index of a candidate in its band
        for members in self._members:
            self._place[members] = np.arange(len(members))
        self._left = [min(per_band, len(members)) for members in self._members]
        self._tried = [0] * len(self._members)
        self._samplers = [
            make(survey.part(members)) if len(members) else None for members in self._members
        ]
        self._taken = set[int]()

    def propose(self, trial: int) -> int:  # noqa: ARG002 - each band counts its own
        """A candidate of the band with the fewest trials, among those with trials left.

        Raises:
            SpaceExhausted: every band has had its trials.
        """
        open_bands = [band for band, left in enumerate(self._left) if left > 0]
        if not open_bands:
            raise SpaceExhausted
        band = min(open_bands, key=lambda one: (self._tried[one], one))
        sampler = self._samplers[band]
        assert sampler is not None, "a band with trials left has candidates"
        return int(self._members[band][sampler.propose(self._tried[band])])

    def take(self, candidate: int) -> None:
        """Note that a candidate is being tried."""
        band, sampler, place = self._of(candidate)
        if candidate not in self._taken:
            self._taken.add(candidate)
            self._tried[band] += 1
            self._left[band] -= 1
        sampler.take(place)

    def tell(self, candidate: int, outcome: Outcome) -> None:
        """Note how a candidate's trial ended, in the sampler of its band only."""
        _, sampler, place = self._of(candidate)
        sampler.tell(place, outcome)

    def _of(self, candidate: int) -> tuple[int, Sampler, int]:
        band = int(self._band[candidate])
        sampler = self._samplers[band]
        assert sampler is not None, "it is a candidate of this band"
        return band, sampler, int(self._place[candidate])
