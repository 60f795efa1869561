"""The Python API: does what the commands do, from a notebook or a script."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console

from res2net import Architecture, parse
from res2net.file_names import path_of, unset_in
from res2net.plugins import PluginError
from search import session
from search.preparation import Space, open_space, prepare
from search.request import Request
from search.result import StudyResult, draw_summary
from search.schema.datasets import DATASETS
from search.schema.network import FIXED
from search.schema.yaml import ConfigError
from search.space.configuration import architecture_from_json
from search.study.events import Ended, Epoch, Lost, Started
from search.study.losses import retried_statuses

OnEvent = Callable[[Started | Epoch | Lost | Ended], None]


def load_space(
    space: Path | str | Mapping[str, Any], overrides: Sequence[str] | None = None
) -> Space:
    """Read and check a space, from a file or from a mapping of the same keys.

    Args:
        space: path of a YAML file, or its content as a mapping.
        overrides: `key.subkey=value` texts that override its values.

    Raises:
        ConfigError: every mistake, one line each with its place, the rule and a remedy.
    """
    return open_space(space, overrides)


def run_study(  # noqa: PLR0913 - the options of the command, by keyword
    space: Space | Path | str | Mapping[str, Any],
    *,
    overrides: Sequence[str] | None = None,
    out: Path | str | None = None,
    time_limit: str | None = None,
    address: str | None = None,
    inline: bool = False,
    retry: Sequence[str] | None = None,
    reuse: Path | str | Sequence[Path | str] | None = None,
    on_event: OnEvent | None = None,
    quiet: bool = True,
) -> StudyResult:
    """Run a study, or resume it, as `python -m search.run` does.

    Args:
        space: a space from `load_space`, or anything that `load_space` takes.
        overrides: `key.subkey=value` texts that override its values.
        out: folder of the run; `runs/<study>` by default.
        time_limit: limit on the time of this start, such as "25m".
        address: address of a running Ray cluster.
        inline: run trials in this process, one after another.
        retry: "failed" or "out-of-memory": trials that ended this way are tried again.
        reuse: folders of other runs; their finished trials that are identical to trials of
            this study are taken over.
        on_event: called with each start, epoch, loss and end of a trial as it happens.
        quiet: print nothing.

    Returns:
        The plan, the trials, the best of them, the kept weights and the folder of the run.

    Raises:
        ConfigError: bad input, before anything runs; or, as a TimeUpError, getting ready on
            Ray took all of the time limit.
        JournalError: the folder's journal cannot be read.
    """
    console = Console(quiet=quiet, markup=False, highlight=False, emoji=False)
    again = retried_statuses(retry or ())
    runs = [reuse] if isinstance(reuse, (str, Path)) else reuse or ()
    _check_options(out, runs, time_limit=time_limit, beside=address is not None and inline)
    folder = None if out is None else path_of(str(out))
    prepared = prepare(open_space(space, overrides), folder=folder)
    request = Request(
        out=folder,
        time_limit=time_limit,
        address=address,
        inline=inline,
        retry=again,
        reuse=tuple(path_of(str(run)) for run in runs),
        command=("search.run_study", *(("--address", address) if address else ())),
        on_event=on_event,
    )
    _, result = session.run(prepared, request, console)
    drawn = draw_summary(result.folder, quiet=quiet) == 0
    return replace(result, drawn=drawn)


def _check_options(
    out: Path | str | None,
    runs: Sequence[Path | str],
    *,
    time_limit: object,
    beside: bool,
) -> None:
    """Refuse what the options of the commands cannot say.

    Raises:
        ConfigError: the first such argument.
    """
    for name, given in (("out", out), *(("reuse", run) for run in runs)):
        if given is not None and not str(given).strip():
            raise ConfigError(f"{name}: is empty; give a folder")
    if out is not None and (unset := unset_in(path_of(str(out)))):
        raise ConfigError(f"out: ${unset} is not set here; set it, or write the folder's path")
    if time_limit is not None and not isinstance(time_limit, str):
        raise ConfigError(
            f"time_limit: {time_limit!r} is not a text; write, for example, '25m'"
        )
    if beside:
        raise ConfigError("address: trials cannot run there and inline; leave one of them out")


def train_network(
    network: Architecture | str,
    *,
    data: str | Mapping[str, Any],
    epochs: int,
    seeds: int = 1,
    recipe: Path | str | None = None,
    training: Mapping[str, Any] | None = None,
    **options: Any,
) -> StudyResult:
    """Train one network, as `python -m search.train` does.

    Args:
        network: an architecture, or any name that `res2net.parse` reads; its number of
            classes is replaced by that of the data, and the images have its channels.
        data: name of a data set, or the keys of a data section.
        epochs: number of epochs to train.
        seeds: number of times the network is trained, each with another seed.
        recipe: a recipe, or the path of a recipe file.
        training: further keys of the training section.
        options: further arguments of `run_study`.

    Raises:
        ArchitectureError: the name is not understood.
        ConfigError: bad input, before anything runs.
    """
    if "epochs" in (training or {}):
        raise ConfigError(
            "training: has epochs, which are an argument of their own; give them once"
        )
    section = {"name": data} if isinstance(data, str) else data
    keys = {"epochs": epochs, **({"recipe": str(recipe)} if recipe else {}), **(training or {})}
    return run_study(space_of(network, section, keys, seeds=seeds), **options)


def space_of(
    network: Architecture | str,
    data: Mapping[str, Any],
    training: Mapping[str, Any],
    *,
    seeds: int = 1,
) -> dict[str, Any]:
    """Describe the space of one network, as a mapping with the keys of a space file.

    Where `data` does not set `validation`, it is a tenth of the training images; `data` must
    set it for a folder tree of images.
    """
    one = parse(network) if isinstance(network, str) else network
    name = re.sub(r"[^A-Za-z0-9._-]", "-", one.name)
    depth = one.depth if isinstance(one.depth, int) else [list(one.depth)]
    dims = {key: _listed(getattr(one, key)) for key in ("width", "scale", "cardinality")}
    fixed = {key: getattr(one, key) for key in ("se", "planes", *FIXED)}
    return {
        "study": f"train_{name}",
        "network": {"skeleton": one.skeleton, "depth": depth, **dims, **fixed},
        "data": {**_validation(str(data.get("name"))), **_channels(one), **data},
        "training": dict(training),
        "search": {"sampler": "grid", "seeds": seeds},
    }


def _validation(name: str) -> dict[str, int]:
    """A tenth of the training images; empty for a data set of unknown size."""
    try:
        size = DATASETS[name].train
    except PluginError:  # reported in full when the space is read
        return {"validation": 1}
    return {"validation": max(1, size // 10)} if size else {}


def _channels(network: Architecture) -> dict[str, int]:
    return {} if network.channels == 3 else {"channels": network.channels}


def _listed(value: int | tuple[int, ...]) -> Any:
    return [list(value)] if isinstance(value, tuple) else value


def architecture_of(about: Path | str) -> Architecture:
    """The architecture of a kept weights file.

    Args:
        about: the .json file beside the weights.
    """
    held = json.loads(Path(about).read_text(encoding="utf-8"))
    return architecture_from_json(held["architecture"])
