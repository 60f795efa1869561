"""Opens a space, resolves it and tries its foreign parts, before anything is written."""

import contextlib
import io
import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from ruamel.yaml import YAML
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

from res2net.file_names import path_of
from res2net.plugins import PluginError, split_plugin
from search.replay.fitting import fitted
from search.replay.results import Results, Source
from search.replay.sources import source_of
from search.schema.data import PlannedData
from search.schema.mapping import plain_mapping
from search.schema.origins import origins
from search.schema.parts import Origin
from search.schema.samplers import SAMPLERS
from search.schema.space_file import SpaceFile
from search.schema.study_plan import StudyPlan
from search.schema.task_checks import check_libraries
from search.schema.yaml import ConfigError, Document, Location, read_text
from search.space.load import check, load_space
from search.space.resolve import Resolved, resolve
from search.space.survey import Survey
from search.study import manifest
from search.study.events import Started
from search.study.journal import FILE, read


class Space(NamedTuple):
    """A space file that was read: its content, and where each value stands in it."""

    file: SpaceFile
    document: Document


@dataclass(frozen=True)
class Prepared:
    """A study that is ready to begin, with the results that it replays, if it is a replay.

    `open_precision` says that `precision: auto` is still to be measured; until then it is fp32.
    """

    space: Space
    plan: StudyPlan
    survey: Survey
    parts: tuple[Origin, ...]
    results: Results | None = None
    open_precision: bool = False

    @property
    def precision(self) -> str:
        """The number format in which trials compute, in words."""
        if self.open_precision:
            return "precision auto: measured at the start"
        chosen = self.plan.chosen
        return (
            f"{self.plan.training.precision}{f' (auto: {chosen.in_words})' if chosen else ''}"
        )


def open_space(
    space: Space | Path | str | Mapping[str, Any],
    overrides: Sequence[str] | None = None,
    *,
    options: Mapping[Location, str] = MappingProxyType({}),
) -> Space:
    """Read a space from a file, or from a mapping of the same keys.

    Args:
        space: what to read, or a space that was read already; a mapping may hold paths and
            numpy's numbers.
        overrides: `key.subkey=value` texts that override its values.
        options: the command-line options that set a key, by key, for a mapping that a command
            made. Messages name the option, as the user never sees the mapping.

    Raises:
        ConfigError: every mistake in it.
    """
    given = tuple(overrides or ())
    if isinstance(overrides, str) or not all(isinstance(each, str) for each in given):
        raise ConfigError(f"overrides {overrides!r}: give a list of texts, key=value each")
    if isinstance(space, Space):
        if given:
            raise ConfigError(
                f"overrides {', '.join(given)}: come too late for a space that is already "
                "loaded; give them to load_space"
            )
        return space
    if isinstance(space, Mapping):
        # Written out as YAML, so that it is read and stored like any other space.
        text = io.StringIO()
        yaml = YAML()
        yaml.width = sys.maxsize  # a folded text would lose blanks
        yaml.dump(_quoted(json.loads(json.dumps(plain_mapping(space)))), text)
        document = read_text(text.getvalue(), Path("space"), given)
        return Space(*check(document._replace(options=options)))
    if not isinstance(space, (str, os.PathLike)):
        raise ConfigError(
            f"space {space!r}: is a {type(space).__name__}; give the path of a file, or a "
            "mapping of its keys"
        )
    return Space(*load_space(path_of(os.fspath(space)), given))


def _quoted(data: Any) -> Any:
    """Quote text that YAML would fold, to preserve it."""
    if isinstance(data, dict):
        return {key: _quoted(value) for key, value in data.items()}
    if isinstance(data, list):
        return [_quoted(value) for value in data]
    odd = isinstance(data, str) and not data.isprintable()
    return DoubleQuotedScalarString(data) if odd else data


def prepare(space: Space, *, folder: Path | None = None, unseen: bool = False) -> Prepared:
    """Count the candidates and try foreign parts; nothing is written.

    Args:
        space: from `open_space`.
        folder: folder of the run, which may have begun; `runs/<study>` where not given.
        unseen: whether missing images may be counted from what is known of their data set:
            for a plan that is only displayed.

    Raises:
        ConfigError: something is impossible, with its place.
        JournalError: the journal of a run without a manifest cannot be read.
    """
    sources = _sources(space)
    folder = folder or Path("runs") / space.file.study
    begun = _begun(folder, sources)
    known = begun.data if begun else None
    try:
        if not space.file.execution.replay:
            check_libraries(space.file.task.name)
        resolved = _resolve(space, unseen=unseen, known=known)
        parts = origins(*space)
        sampler = space.file.search.sampler.name
        if parts or "outside" in SAMPLERS[sampler].traits:
            from search.engine.checking import check_parts  # noqa: PLC0415 - imports torch

            root = path_of(space.file.data.root)
            check_parts(resolved.plan, resolved.survey, root, images=known is None)
    except PluginError as error:
        raise ConfigError(f"{space.document.path}: {error}") from error
    auto = space.file.training.precision == "auto"
    if auto and not begun and not sources:
        _require_measured(space, folder)
    if auto and begun:
        plan = resolved.plan.with_precision(begun.training.precision, begun.chosen)
        resolved = resolved._replace(plan=plan)
    if not sources:
        return Prepared(space, *resolved, parts, open_precision=auto and not begun)
    plan, results = fitted(sources, *resolved, space.document)
    return Prepared(space, plan, resolved.survey, parts, results)


def _require_measured(space: Space, folder: Path) -> None:
    """Make sure that a study whose record of its number format is gone does not get another."""
    records = [] if (folder / manifest.FILE).exists() else read(folder, epochs=False)
    if not any(isinstance(record, Started) for record in records):
        return
    place = space.document.place(("training", "precision"))
    raise ConfigError(
        f"{place}: training.precision: 'auto' was measured when this study began, and "
        f"{folder / manifest.FILE}, which held the result, is gone; write the format in which "
        "its trials were trained: precision: bf16 or fp32"
    )


def _sources(space: Space) -> tuple[Source, ...]:
    """The results that a space file names for its replay."""
    try:
        return tuple(map(source_of, space.file.execution.replay))
    except ConfigError as error:
        place = space.document.place(("execution", "replay"))
        raise ConfigError(f"{place}: execution.replay: {error}") from error


def _begun(folder: Path, sources: Sequence[Source]) -> StudyPlan | None:
    """The plan of a study that has begun, or of the results that a replay takes.

    A study that has ended can thus be shown without its images, and its measurements are kept.
    """
    for source in sources:
        if source.plan is not None:
            return source.plan
    if not (folder / FILE).exists():
        return None
    with contextlib.suppress(ConfigError):  # reported when the study is resumed
        written = manifest.read(folder)
        return written.plan if written else None
    return None


def _resolve(space: Space, *, unseen: bool, known: PlannedData | None) -> Resolved:
    """Count the candidates; report what a foreign block or skeleton raises as its error."""
    network = space.file.network
    foreign = [name for name in (*network.skeleton, network.block) if split_plugin(name)]
    try:
        return resolve(*space, unseen=unseen, known=known)
    except (ConfigError, PluginError):
        raise
    except Exception as error:
        if not foreign:
            raise
        raise PluginError(
            f"network: {' and '.join(foreign)}: failed while candidates were counted "
            f"({type(error).__name__}: {error})"
        ) from error
