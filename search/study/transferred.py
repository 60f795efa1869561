"""Checks that a study resumes with the pretrained weights it began with. No torch here."""

from pathlib import Path

from search.schema.study_plan import StudyPlan
from search.schema.transfer import PlannedTransfer, SourceWeights
from search.schema.yaml import ConfigError
from search.space.carried import digest_of
from search.study.manifest import read

_BACK = "put them back as they were, or give another folder with --out"


def same_weights(folder: Path, plan: StudyPlan) -> None:
    """Refuse to resume a study whose initial weights have changed.

    Args:
        folder: folder of the run, which may not have begun.
        plan: plan of the study as it is now.

    Raises:
        ConfigError: a file differs, or other networks have weights.
    """
    noted = read(folder)
    before = noted.plan.transfer if noted else None
    now = plan.transfer
    if before is None or now is None:  # reported with the other differences
        return
    _same_networks(folder, before, now)
    files = {(one.network, one.repeat): one for one in now.files}
    for had in before.files:
        here = files.get((had.network, had.repeat))
        digest = here.sha256 if here else _digest(folder, had)
        if digest != had.sha256:
            raise ConfigError(
                f"{folder}: the trained weights of {had.network}, seed {had.repeat}, have "
                f"changed since the study began ({had.path} was {had.sha256[:12]}, is "
                f"{digest[:12]}); {_BACK}"
            )


def _same_networks(folder: Path, before: PlannedTransfer, now: PlannedTransfer) -> None:
    had, have = ({one.network for one in each.files} for each in (before, now))
    changed = [*(f"{name} no longer has any" for name in sorted(had - have))]
    changed += [f"{name} has some now" for name in sorted(have - had)]
    if changed:
        raise ConfigError(
            f"{folder}: other networks have trained weights for every seed than when the "
            f"study began: {'; '.join(changed[:5])}; {_BACK}"
        )


def _digest(folder: Path, had: SourceWeights) -> str:
    """The digest of the file of a seed that the space file no longer asks for."""
    try:
        return digest_of(Path(had.path))
    except OSError as error:
        raise ConfigError(
            f"{folder}: the trained weights of {had.network}, seed {had.repeat}, cannot be "
            f"read ({had.path}: {error.strerror}); {_BACK}"
        ) from error
