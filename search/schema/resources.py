"""The resources section: what a trial takes of the machine, and where checkpoints are kept."""

import math
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, PositiveInt

from search.schema.remote import located
from search.schema.section import Section
from search.schema.units import seconds

_SHORTEST = 10.0  # seconds; a worker reports every 5, and a machine may be busy


def gpu_share(value: Any) -> float | str:
    """GPUs of one trial, a share of one below 1; or auto: as many trials on one as pays."""
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if value != "auto" and not (number and 0 <= value < math.inf):
        raise ValueError("is not a number of GPUs; write 0, 0.5, 1 or auto")
    return value if value == "auto" else float(value)


def time_of(value: Any) -> float:
    """A time such as 30m, at least 10s; a plan has it as a number of seconds."""
    try:
        time = value if isinstance(value, float) else seconds(value)
    except (TypeError, ValueError) as error:
        raise ValueError("is not a time; write one such as 30m or 1h30m") from error
    if not time >= _SHORTEST:
        raise ValueError("is too short: workers report every few seconds; write at least 10s")
    return time


def checkpoint_place(value: Any) -> str | None:
    """`s3://bucket/folder`, `file:///folder` or a folder."""
    if value is None:
        return None
    if not isinstance(value, str):
        raise ValueError(
            "is not a place; write s3://bucket/folder, file:///folder, or a folder"
        )
    located(value)
    return value


def trials_on(gpus: float, share: float) -> int:
    """Trials that the GPUs of one machine hold at once.

    Args:
        gpus: number of GPUs of the machine.
        share: share of a single GPU that a trial takes, above 0, at most 1.
    """
    nearly = 1e-9  # a fifth of a GPU fits five times, despite rounding of 1 / 0.2
    return int(gpus) * int(1 / share + nearly)


class Resources(Section):
    """What one trial takes; `cpu` is also its number of threads."""

    gpu: Annotated[float | Literal["auto"], BeforeValidator(gpu_share)] = 0.0
    """GPUs of a trial; a share below 1 lets several trials use one, `auto` measures how many
    are fastest. [GPUs]
    """
    cpu: PositiveInt = 1
    """CPU cores of a trial, and its number of threads. [cores]"""
    silence: Annotated[float, BeforeValidator(time_of)] = 1800.0
    """On Ray: a worker that is silent for so long, such as `30m`, is considered hung and is
    killed, and its trial is resumed elsewhere. Workers report every few seconds of training;
    only compiling, scoring a split and loading images take longer.
    """
