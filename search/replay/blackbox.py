"""Writes results in the layout that Syne Tune's blackbox repository reads.

Parquet for the networks, an array (task, network, seed, epoch, objective) of float32 for what
they reported, and JSON for the space, the epochs and the names: the format that its
`deserialize` of tabular blackboxes reads. Each objective is named `metric_<name>`; test scores
are left out, as there is only one per trial. A failed trial has nan after its last epoch.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from res2net import Architecture
from res2net.architecture import written
from search.replay.exporting import Exported
from search.replay.results import Cell
from search.schema.files import replace_text, replacing
from search.space.survey import survey

_RUNTIME, _ELAPSED = "runtime", "elapsed_time"  # seconds of an epoch, and until its end
_LATENCY = "latency_1_median_ms"
_FIDELITY = "hp_epoch"


def write_blackbox(
    run: Exported, folder: Path, *, latency: Mapping[Architecture, Mapping[str, float]]
) -> None:
    """Write the results of a run for Syne Tune.

    Args:
        run: the finished run.
        folder: folder to write into, created if it does not exist.
        latency: columns of each network, as in `networks.csv`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    networks, epochs = list(run.source.cells), run.plan.training.epochs
    frame = _hyperparameters(run, networks)
    fixed = dict(_fixed(run, networks, latency))
    first = next(cell for ones in run.source.cells.values() for cell in ones if cell.epochs)
    names = [*first.epochs[0].metrics, _RUNTIME, _ELAPSED]
    told = np.stack([_told(run.source.cells[one], names, epochs) for one in networks])
    shape = told.shape[:3]
    more = [np.broadcast_to(v[:, None, None], shape)[..., None] for v in fixed.values()]
    array = np.concatenate([told, *more], axis=-1)[None].astype(np.float32)
    with replacing(folder / "hyperparameters.parquet") as file:
        frame.to_parquet(file, index=False, compression="gzip")
    _write_array(folder / "objectives_evaluations.npy", array)
    _write_array(folder / "fidelities_values.npy", np.arange(1, epochs + 1))
    space = {column: _domain(frame[column].tolist()) for column in frame}
    whole = {"domain_cls": "Integer", "domain_kwargs": {"lower": 1, "upper": epochs}}
    about = {
        "objectives_names": [f"metric_{name}" for name in (*names, *fixed)],
        "task_names": [run.plan.data.name],
    }
    for name, data in (
        ("configspace", space),
        ("fidelityspace", {_FIDELITY: whole}),
        ("metadata", about),
    ):
        replace_text(folder / f"{name}.json", json.dumps(data, indent=1))


def _hyperparameters(run: Exported, networks: Sequence[Architecture]) -> pd.DataFrame:
    """The dimensions that the space varies: one row per network."""
    candidates = survey(run.plan)
    every = [candidates.candidate(network) for network in networks]
    at = candidates.indices()[[one for one in every if one is not None]]
    columns = {}
    for (name, choices), indices in zip(candidates.dimensions, at.T, strict=True):
        if len(choices) > 1:
            values = [choices[index] for index in indices]
            plain = all(isinstance(value, int) for value in values)
            columns[f"hp_{name}"] = values if plain else [*map(written, values)]
    return pd.DataFrame(columns)


def _domain(values: Sequence[Any]) -> dict[str, Any]:
    """A dimension in Syne Tune's format: ordinal if its values have an order."""
    known = sorted(set(values))
    if any(isinstance(value, (bool, str)) for value in known):
        return {"domain_cls": "Categorical", "domain_kwargs": {"categories": known}}
    return {
        "domain_cls": "OrdinalNearestNeighbor",
        "domain_kwargs": {"categories": known, "log_scale": True},
    }


def _told(cells: Sequence[Cell], names: Sequence[str], epochs: int) -> npt.NDArray[np.float64]:
    """(seeds, epochs, names): what the trials of a network reported."""
    told = np.full((len(cells), epochs, len(names)), np.nan)
    for repeat, cell in enumerate(cells):
        elapsed = 0.0
        for number, epoch in enumerate(cell.epochs):
            elapsed += epoch.seconds
            known = {**epoch.metrics, _RUNTIME: epoch.seconds, _ELAPSED: elapsed}
            told[repeat, number] = [known[name] for name in names]
    return told


def _fixed(
    run: Exported,
    networks: Sequence[Architecture],
    latency: Mapping[Architecture, Mapping[str, float]],
) -> Iterator[tuple[str, npt.NDArray[np.float64]]]:
    """What is the same for all epochs: costs, and latency if it was measured."""
    candidates = survey(run.plan)
    at = [candidates.candidate(network) for network in networks]
    for name, amounts in candidates.counted().items():
        yield name, np.array([float(amounts[one]) for one in at if one is not None])
    if latency:
        yield "latency", np.array([latency[one][_LATENCY] / 1000 for one in networks])


def _write_array(path: Path, array: npt.NDArray[Any]) -> None:
    with replacing(path) as file:
        np.save(file, array, allow_pickle=False)
