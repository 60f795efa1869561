"""The settings that are tuned for each network, as candidates of their own."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from search.schema.counts import Counts
from search.space.axis import setting_axis
from search.space.survey import Survey


def settings_survey(
    survey: Survey, varied: Mapping[str, Sequence[float]], keys: Sequence[str]
) -> Survey:
    """Every combination of some settings, for a sampler to choose from.

    Args:
        survey: survey of the study, not empty. Settings do not affect costs, so any of its
            networks can represent all.
        varied: settings with their values.
        keys: the settings to combine.

    Returns:
        A survey of one network with each combination, which `Survey.settings` gives.
    """
    axes = tuple(setting_axis(key, varied[key]) for key in keys)
    grid = survey.grid.beside(int(survey.positions[0]), axes)
    return replace(
        survey,
        grid=grid,
        positions=np.arange(len(grid)),
        widths=np.repeat(survey.widths[:1], len(grid)),
        costs=Counts(*(np.repeat(amounts[:1], len(grid)) for amounts in survey.costs)),
        bands=np.zeros(len(grid), np.int64),
        base=None,
    )


def middle(settings: Survey) -> int:
    """The combination of each setting's middle value, the lower of two.

    Args:
        settings: survey from `settings_survey`.
    """
    shape = [len(values) for _, values in _varied(settings)]
    return int(np.ravel_multi_index([(n - 1) // 2 for n in shape], shape))


def _varied(settings: Survey) -> list[tuple[str, tuple[float, ...]]]:
    names = settings.settings(0)
    return [(d.name, d.values) for d in settings.dimensions if d.name in names]
