"""The tables of names in the reference of the space file, as Markdown. No torch here."""

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from res2net.blocks import BLOCKS
from res2net.skeletons import SKELETONS, Skeleton
from search.schema.datasets import DATASETS, Dataset
from search.schema.metrics import COUNTED, MEASURED, MODEL, Objective, validated
from search.schema.optimizers import OPTIMIZERS, OptimizerFacts
from search.schema.parts import NoOptions, Table
from search.schema.recipes import recipes
from search.schema.samplers import SAMPLERS
from search.schema.samplers import TRAITS as OF_SAMPLERS
from search.schema.schedulers import SCHEDULERS
from search.schema.schedulers import TRAITS as OF_SCHEDULERS
from search.schema.section import Section
from search.schema.tasks import TASKS, TaskFacts

_OPTIMIZER_KEYS = ("lr", "weight_decay")  # that every optimiser reads


def names(keys_of: Callable[[type[Section]], str]) -> Iterator[str]:
    """All tables of names.

    Args:
        keys_of: makes the table of a section's keys.
    """
    yield from _parts(SAMPLERS, ("traits",), lambda f: (_coded(sorted(f.traits)),))
    yield from _options(SAMPLERS, keys_of)
    yield from _traits(OF_SAMPLERS)
    yield from _parts(SCHEDULERS, ("traits",), lambda f: (_coded(sorted(f.traits)),))
    yield from _options(SCHEDULERS, keys_of)
    yield from _traits(OF_SCHEDULERS)
    yield from _objectives()
    yield from _parts(OPTIMIZERS, ("reads",), _optimizer)
    yield f"## Recipes\n\n{table(('name', 'what it is'), _recipes())}"
    yield from _parts(DATASETS, ("classes", "side", "train", "test"), _dataset)
    yield from _sets()
    yield from _parts(TASKS, ("metrics",), _task)
    yield from _options(TASKS, keys_of)
    blocks = ((f"`{name}`", _first_line(block)) for name, block in BLOCKS.items())
    yield f"## Blocks\n\n{table(('name', 'what it is'), blocks)}"
    head = ("name", "depths", "usual", "stages", "output strides", "versions")
    skeletons = (_skeleton(name, facts) for name, facts in SKELETONS.items())
    yield f"## Skeletons\n\n{table(head, skeletons)}"


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """A Markdown table, followed by an empty line."""
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines) + "\n"


def heading(kind: str) -> str:
    """The heading of a table of parts."""
    return f"{kind}s".capitalize()


def _parts(
    parts: Table[Any], more: tuple[str, ...], cells: Callable[[Any], tuple[str, ...]]
) -> Iterator[str]:
    rows = ((f"`{name}`", facts.summary, *cells(facts)) for name, facts in parts.ours.items())
    yield f"## {heading(parts.kind)}\n\n{table(('name', 'what it is', *more), rows)}"


def _options(parts: Table[Any], keys_of: Callable[[type[Section]], str]) -> Iterator[str]:
    """The keys that the parts take."""
    for name, facts in parts.ours.items():
        if facts.options not in (None, NoOptions):
            yield f"Keys of `{name}`:\n\n{keys_of(facts.options)}"


def _traits(known: Mapping[str, str]) -> Iterator[str]:
    rows = ((f"`{trait}`", meaning) for trait, meaning in known.items())
    yield table(("trait", "what it says"), rows)


def _objectives() -> Iterator[str]:
    reported = [
        (one, f"{task}, on the validation images")
        for task, facts in TASKS.ours.items()
        for one in validated(facts.metrics).values()
    ]
    counted = [(one, "before a trial") for one in COUNTED.values()]
    counted += [(one, "before a trial, where a task has a head") for one in MODEL.values()]
    measured = [(one, "on its device, before its training") for one in MEASURED.values()]
    rows = (_objective(one, source) for one, source in [*reported, *counted, *measured])
    yield f"## Objectives\n\n{table(('name', 'direction', 'unit', 'known from'), rows)}"


def _objective(one: Objective, source: str) -> tuple[str, ...]:
    return f"`{one.name}`", one.direction, one.unit, source


def _optimizer(facts: OptimizerFacts) -> tuple[str, ...]:
    return (_coded((*_OPTIMIZER_KEYS, *facts.keys)),)


def _dataset(facts: Dataset) -> tuple[str, ...]:
    counts = (facts.classes, facts.train, facts.test)
    unknown = "by `sets`" if facts.sets else "of the folders" if facts.pairs else "of the tree"
    classes, train, test = (f"{count:,}" if count else unknown for count in counts)
    side = f"{facts.image_size} px" if facts.image_size else "`resolution`"
    return classes, unknown if facts.sets else side, train, test


def _sets() -> Iterator[str]:
    """The choices for `data.sets`."""
    head = ("sets", "what it is", "gives", "classes", "side", "train", "test")
    for name, facts in DATASETS.ours.items():
        rows = (
            (f"`{each}`", one.summary, _coded(sorted(one.gives)), f"{one.classes}",
             f"{one.image_size} px", f"{one.train:,}", f"{one.test:,}")
            for each, one in facts.sets.items()
        )  # fmt: skip
        if facts.sets:
            yield f"Sets of `{name}`:\n\n{table(head, rows)}"


def _task(facts: TaskFacts) -> tuple[str, ...]:
    return (", ".join(f"`{metric.name}` ({metric.direction})" for metric in facts.metrics),)


def _recipes() -> Iterator[tuple[str, str]]:
    for name, path in recipes().items():
        yield f"`{name}`", _comment(path)


def _comment(path: Path) -> str:
    """The comment at the top of a recipe."""
    lines = path.read_text(encoding="utf-8").splitlines()
    first = next(i for i, line in enumerate(lines) if not line.startswith("#"))
    return " ".join(line.removeprefix("#").strip() for line in lines[:first])


def _skeleton(name: str, facts: Skeleton) -> tuple[str, ...]:
    depths = "9n + 2" if facts.depths is None else ", ".join(map(str, facts.depths))
    return (
        f"`{name}`",
        f"{depths}, or a list: {facts.block_rule}",
        str(facts.depth),
        str(len(facts.stages)),
        ", ".join(map(str, facts.output_strides)),
        _coded(facts.versions),
    )


def _coded(words: Iterable[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)


def _first_line(value: Any) -> str:
    return inspect.cleandoc(value.__doc__ or "").partition("\n")[0].removesuffix(".")
