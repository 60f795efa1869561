"""The manifest, runs/<study>/manifest.json: what a run is, and every start of it; sealed.

The same command resumes the same study; a changed recipe or space is refused.
"""

from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import TypeAdapter

from res2net.file_names import printable_data
from search.schema.files import replace_text
from search.schema.metrics import Metric, Objective
from search.schema.parts import Origin
from search.schema.samplers import SAMPLERS
from search.schema.schedulers import scheduler_traits
from search.schema.seals import SealError, opened_document, sealed_document
from search.schema.study_plan import StudyPlan
from search.schema.yaml import ConfigError
from search.study.differences import require_same
from search.study.provenance import start_of
from search.study.recorded import plan_of, starts_of

FILE = "manifest.json"
# Version of what a study's results depend on. 2: augmentation draws by epoch. 3: networks
# share seeds. 4: the plan in numbers, metrics by name, foreign parts. 5: sealed.
VERSION = 5
_SEALED_SINCE = 5
_COUNTED_SINCE = 4  # from this version on, a plan gives the number of candidates


_METRICS: TypeAdapter[tuple[Metric, ...]] = TypeAdapter(tuple[Metric, ...])
_OBJECTIVES: TypeAdapter[tuple[Objective, ...]] = TypeAdapter(tuple[Objective, ...])
_PARTS: TypeAdapter[tuple[Origin, ...]] = TypeAdapter(tuple[Origin, ...])
_TEXTS: TypeAdapter[tuple[str, ...]] = TypeAdapter(tuple[str, ...])


class Manifest(NamedTuple):
    """What a run is.

    Attributes:
        version: version of this program's manifests.
        plan: plan of the study.
        metrics, objectives: metrics of its task, and objectives by which networks are compared;
            foreign ones are stored in full, so that a reader need not import them.
        sampler_traits, scheduler_traits: the traits that these parts declared.
        parts: foreign parts and where they came from.
        starts: starts of the command, oldest first.
        left_out: images that could not be read; None where that is not known.
    """

    version: int
    plan: StudyPlan
    metrics: tuple[Metric, ...]
    objectives: tuple[Objective, ...]
    sampler_traits: frozenset[str]
    scheduler_traits: frozenset[str]
    parts: tuple[Origin, ...]
    starts: tuple[dict[str, Any], ...]
    left_out: tuple[str, ...] | None

    @property
    def candidates(self) -> int | None:
        """Number of networks inside the budget; None where an earlier version kept none."""
        return self.plan.candidates if self.version >= _COUNTED_SINCE else None

    @property
    def seeds_unknown(self) -> bool:
        """Whether a later start records how many seeds it planned, and the first does not."""
        told = ["seeds" in start for start in self.starts]
        return any(told) and not told[0]

    @property
    def seeds_added(self) -> bool:
        """Whether seeds were added to those that were planned when the first trial started.

        That may have been in another run, whose trials were taken over. False if no start
        records how many it planned.
        """
        return self._added("seeds")

    @property
    def trials_added(self) -> bool:
        """Whether networks were added, as with `seeds_added`."""
        return self._added("trials")

    def fewest(self, key: str) -> int | None:
        """The fewest that any start planned, here or where trials were taken over from.

        Args:
            key: "seeds" or "trials"; None if no start records it.
        """
        noted = (*self.starts, *(start.get("reused", {}) for start in self.starts))
        return min((start[key] for start in noted if key in start), default=None)

    def _added(self, key: str) -> bool:
        planned = [start[key] for start in self.starts if key in start]
        fewest = self.fewest(key)
        return bool(planned) and fewest is not None and max(planned) > fewest


def read(folder: Path) -> Manifest | None:
    """The manifest of a run, of this version or an earlier one; None where there is none.

    All its text is printable (`res2net.file_names`), for callers that display it.

    Raises:
        ConfigError: it is damaged, or of a newer version.
    """
    raw = _raw(folder)
    return _manifest(folder, printable_data(raw)) if raw else None


def _manifest(folder: Path, raw: dict[str, Any]) -> Manifest:
    """Read a manifest; ConfigError where it is incomplete, or its values make no sense."""
    try:
        return _read(raw)
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise _damaged(folder, _first_line(error)) from error


def _read(raw: dict[str, Any]) -> Manifest:
    plan, left_out = plan_of(raw), raw.get("left_out", ())
    told = raw.get("traits") or {
        "sampler": SAMPLERS[plan.search.sampler.name].traits,
        "scheduler": scheduler_traits(plan.scheduler),
    }
    return Manifest(
        version=raw["version"],
        plan=plan,
        metrics=_METRICS.validate_python(raw.get("metrics") or ()) or plan.metrics,
        objectives=_OBJECTIVES.validate_python(raw.get("objectives") or ()) or plan.objectives,
        sampler_traits=frozenset(_TEXTS.validate_python(told["sampler"])),
        scheduler_traits=frozenset(_TEXTS.validate_python(told["scheduler"])),
        parts=_PARTS.validate_python(raw.get("parts", ())),
        starts=starts_of(raw),
        left_out=None if left_out is None else _TEXTS.validate_python(left_out),
    )


def going_on(
    folder: Path,
    plan: StudyPlan,
    parts: Sequence[Origin] = (),
    *,
    say: Callable[[str], object] = lambda _: None,
) -> StudyPlan:
    """Check that a folder holds this study, and return its plan.

    Args:
        folder: folder of the run.
        plan: plan of the study that is asked for.
        parts: its foreign parts.
        say: called with a note where fewer networks or seeds are asked for than it has.

    Returns:
        The plan, with as many trials and seeds as the study was extended to before.

    Raises:
        ConfigError: the folder holds a different study (with the differences), or a foreign
            part has changed since.
    """
    before = _raw(folder)
    if not before:
        return plan
    if before["version"] != VERSION:
        raise ConfigError(
            f"{folder}: contains a study of another version of this project (its record is of "
            f"version {before['version']}, this is {VERSION}), whose trials differ; finish it "
            "with that version, or give another folder with --out"
        )
    there = _manifest(folder, before)
    require_same(folder, there.plan, plan)
    _same_parts(folder, there.parts, parts)
    for note in plan.kept_from(there.plan):
        say(f"note: {note}")
    return plan.extended(there.plan)


def _same_parts(folder: Path, before: Sequence[Origin], now: Sequence[Origin]) -> None:
    """Refuse a foreign part that differs from the one earlier trials were made with."""
    digests = {(each.key, each.name): each.digest for each in before}
    for origin in now:
        had = digests.get((origin.key, origin.name), origin.digest)
        if had != origin.digest:
            raise ConfigError(
                f"{folder}: {origin.key}: {origin.name} has changed since the study began "
                f"({origin.source or 'its package'} was {str(had)[:12]}, is "
                f"{str(origin.digest)[:12]}); put the file back as it was, or give another "
                "folder with --out"
            )


def same_images(folder: Path, left_out: Sequence[str]) -> None:
    """Make sure that new trials leave out the same images as earlier ones.

    Raises:
        ConfigError: an image was repaired or damaged since.
    """
    raw = _raw(folder)
    if not raw:  # it stopped before noting anything, so before any trial
        return
    before = _manifest(folder, raw).left_out
    changed = sorted(set(left_out if before is None else before) ^ set(left_out))
    if changed:
        raise ConfigError(
            f"{folder}: its trials so far saw other images; repaired or damaged since: "
            f"{'; '.join(changed[:5])}; put the files back as they were, or give another "
            "folder with --out"
        )


def note(  # noqa: PLR0913 - all but two by keyword
    folder: Path,
    plan: StudyPlan,
    *,
    space: str,
    command: Sequence[str],
    parts: Sequence[Origin] = (),
    left_out: Sequence[str] | None = (),
    reused: Collection[Path] = (),
) -> None:
    """Note a start: when, by which command, with which versions, on what, how much is planned.

    Args:
        folder: folder of the run; the caller holds its lock and has compared the study.
        plan: plan of the study.
        space: text of the space file; kept beside the results.
        command: the command line.
        parts: foreign parts, and where they came from.
        left_out: images that cannot be read; None where that is not known.
        reused: folders of the runs whose trials can be taken over.
    """
    planned = {"trials": plan.search.trials, "seeds": plan.search.seeds, **_before(reused)}
    manifest = {
        "version": VERSION,
        "plan": plan.model_dump(mode="json"),
        "metrics": [metric._asdict() for metric in plan.metrics],
        "objectives": [objective.to_json() for objective in plan.objectives],
        "traits": {
            "sampler": sorted(SAMPLERS[plan.search.sampler.name].traits),
            "scheduler": sorted(scheduler_traits(plan.scheduler)),
        },
        "parts": [origin._asdict() for origin in parts],
        "left_out": None if left_out is None else list(left_out),
        "starts": [*_raw(folder).get("starts", []), start_of(command) | planned],
    }
    replace_text(folder / FILE, sealed_document(manifest))
    replace_text(folder / "space.yaml", space)


def _before(folders: Collection[Path]) -> dict[str, dict[str, int]]:
    """How much was planned at first where trials are taken over: their results were known."""
    there = [noted for folder in folders if (noted := read(folder)) is not None]
    fewest = {key: [one.fewest(key) for one in there] for key in ("trials", "seeds")}
    known = {key: min(filter(None, counts), default=0) for key, counts in fewest.items()}
    return {"reused": {key: count for key, count in known.items() if count}} if there else {}


def _raw(folder: Path) -> dict[str, Any]:
    """The manifest; empty where there is none."""
    path = folder / FILE
    if not path.exists():
        return {}
    try:
        data, sealed = opened_document(path.read_bytes())
    except SealError as error:
        raise _damaged(folder, str(error)) from error
    version = data.get("version") if isinstance(data, dict) else None
    if type(version) is not int or version < 1:
        raise _damaged(folder, "it gives no version")
    if version > VERSION:
        raise ConfigError(
            f"{path}: has version {version}, but this program reads up to {VERSION}; update "
            "the program"
        )
    if version >= _SEALED_SINCE and not sealed:
        raise _damaged(folder, "it ends without its checksum")
    manifest: dict[str, Any] = data
    return manifest


def _damaged(folder: Path, why: str) -> ConfigError:
    return ConfigError(
        f"{folder / FILE}: is damaged ({why}); restore it from a copy, or delete it if the "
        "space and recipe are unchanged"
    )


def _first_line(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"
