"""Where good networks are expected, with a weight that falls with every result (piBO).

piBO (Hvarfner et al., 2022, arXiv:2204.11051) multiplies a model's acquisition value at a point
by the prior's density to the power beta / n after n trials. Here a bell around the model's draw
takes the place of the acquisition value: the candidate with the largest product is proposed.
"""

import numpy as np

from search.samplers.points import Floats, Points
from search.schema.prior import Prior
from search.space.axis import Indices
from search.space.prior import places_of

_DRAW = 0.1  # width of the bell around a draw, as a share of a dimension
_PRIOR = 0.2  # and of the bell around the values that are expected to be good


class Belief:
    """A prior over the candidates.

    Args:
        prior: prior of the space file.
        points: the candidates.
    """

    def __init__(self, prior: Prior, points: Points) -> None:
        where = np.array(places_of(prior, points.dimensions))
        lengths = np.array([len(dimension.values) - 1 for dimension in points.dimensions])
        said = where >= 0
        away = (points.unit - where / lengths)[:, said]
        self._confidence = prior.confidence
        self._log_density: Floats = -0.5 * (away**2).sum(axis=1) / _PRIOR**2
        self._mode = np.where(said, where / lengths, 0.5)

    def nearest(self, point: Floats, points: Points, trials: int) -> int:
        """The candidate left that draw and prior together favour most.

        Args:
            point: drawn by a model.
            points: the candidates.
            trials: number of earlier trials: the more, the less the prior weighs.
        """
        around = np.concatenate([points.near_left(point), points.near_left(self._mode)])
        away = ((points.unit[around] - point) ** 2).sum(axis=1)
        weight = self._confidence / (trials + 1)
        score = -0.5 * away / _DRAW**2 + weight * self._log_density[around]
        return int(around[int(score.argmax())])

    def order(self, seed: int) -> Indices:
        """All candidates in an order drawn from the prior, without repetition.

        Adding Gumbel noise to log densities and sorting is such a draw (Efraimidis's keys).
        """
        noise = np.random.default_rng(seed).gumbel(size=len(self._log_density))
        order: Indices = np.argsort(-(self._log_density + noise), kind="stable")
        return order
