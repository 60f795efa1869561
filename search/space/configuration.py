"""What the search of a study tries: a network with settings of its training. No torch here."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, NamedTuple

from res2net import Architecture
from res2net.receptive import effective_depth
from search.schema.settings import DepthRule, PlannedRule


class Configuration(NamedTuple):
    """A network, and the settings of its trials.

    Attributes:
        name: name of the candidate: the network's, with the settings that the space varies.
        architecture: architecture of the network.
        settings: settings of the candidate, where the space varies some.
        tuned: settings of one try, among those that are tuned for each network.
        tried: number of the network's try, counted from 0.
    """

    name: str
    architecture: Architecture
    settings: Mapping[str, float] = {}
    tuned: Mapping[str, float] = {}
    tried: int = 0


def planned_rule(rule: DepthRule, forms: list[Architecture]) -> PlannedRule:
    """The rule with the effective depth of its reference.

    Args:
        rule: rule as written.
        forms: a network of each skeleton and depth of the file.

    Raises:
        ArchitectureError: the first skeleton has no such depth.
    """
    if rule.depth is None:
        depth = min(map(effective_depth, forms))
    else:
        given = Architecture(skeleton=forms[0].skeleton, depth=rule.depth, block=forms[0].block)
        depth = effective_depth(given)
    return PlannedRule(lr=rule.lr, effective_depth=depth)


def architecture_to_json(architecture: Architecture) -> dict[str, Any]:
    """Every field, so that a journal does not depend on defaults; lists, as in JSON."""
    return {
        key: list(value) if isinstance(value, tuple) else value
        for key, value in asdict(architecture).items()
    }


def architecture_from_json(data: Mapping[str, Any]) -> Architecture:
    """The inverse of `architecture_to_json`; JSON's lists become tuples."""
    read: dict[str, Any] = {
        key: tuple(v) if isinstance(v, list) else v for key, v in data.items()
    }
    return Architecture(**read)
