"""Finds the networks that planned contrasts name, and refuses those not in the survey.

Takes the analysis section as written; gives the same with the names that trials have.
"""

import difflib
from dataclasses import replace

from res2net import Architecture, ArchitectureError, parse
from res2net.plugins import split_plugin
from search.schema.analysis import Analysis
from search.schema.data import PlannedData
from search.schema.network import Network
from search.schema.yaml import ConfigError, Document
from search.space.survey import Survey

_LISTED = 5000  # with more candidates, no similar names are suggested


def planned_analysis(
    analysis: Analysis,
    network: Network,
    data: PlannedData,
    surveyed: Survey,
    document: Document,
) -> Analysis:
    """The section, with each network of its contrasts named as its trials will be.

    Args:
        analysis: the section as written; its names are those that `res2net.parse` takes, with
            classes and channels replaced by those of the data.
        network: gives the block of the candidates.
        data: gives classes and channels.
        surveyed: the networks of the study.
        document: gives the places of values.

    Raises:
        ConfigError: a name is not understood, or of no network of the study, or two of one
            contrast are the same network.
    """
    block = network.block if split_plugin(network.block) else None
    found: dict[str, dict[str, float]] = {}
    for label, weights in analysis.contrasts.items():
        found[label] = {}
        for name, weight in weights.items():
            where = f"{document.place(('analysis', 'contrasts', label, name))}: "
            where += f"analysis.contrasts.{label}: {name!r} "
            try:
                meant = parse(name, block=block)
            except ArchitectureError as error:
                raise ConfigError(f"{where}is not a network: {error}") from error
            meant = replace(meant, classes=data.classes, channels=data.channels)
            _check_inside(meant, surveyed, where)
            if meant.name in found[label]:
                raise ConfigError(
                    f"{where}is {meant.name}, which is already listed; give it a single weight"
                )
            found[label][meant.name] = weight
    return analysis.model_copy(update={"contrasts": found})


def _check_inside(meant: Architecture, surveyed: Survey, where: str) -> None:
    settings = ", ".join(surveyed.settings(0)) if len(surveyed) else ""
    if settings:
        raise ConfigError(
            f"{where}names a network, but the networks of this study differ in {settings} too; "
            "remove it, or write a single value for each"
        )
    if surveyed.candidate(meant) is not None:
        return
    raise ConfigError(
        f"{where}is {meant.name}, which is not a network of this study inside its budget; "
        f"write one that is, or widen the dimensions or the budget{_near(meant, surveyed)}"
    )


def _near(meant: Architecture, surveyed: Survey) -> str:
    if len(surveyed) > _LISTED:
        return ""
    names = [surveyed.architecture(candidate).name for candidate in range(len(surveyed))]
    near = difflib.get_close_matches(meant.name, names, n=2, cutoff=0.0)
    return f" (nearest: {', '.join(near)})"
