"""Finds the checkpoint from which a trial resumes."""

from collections.abc import Mapping
from typing import IO, Any, NamedTuple

import torch

from search.engine.bench import device_kind
from search.schema.remote import File
from search.study.checkpoints import sound_checkpoints
from search.study.events import Started
from search.tasks.memory import is_out_of_memory

FORMAT = 4  # of checkpoints; other formats are ignored


class Found(NamedTuple):
    """What a trial resumes from.

    Attributes:
        state: as the trial saved it, on the CPU; None where there is none.
        note: why a checkpoint of another kind of device was left aside; else empty.
    """

    state: dict[str, Any] | None
    note: str


def furthest(checkpoint: File, started: Started, device: torch.device) -> Found:
    """The sound checkpoint of exactly this trial that goes furthest.

    The newest need not be: a worker that was given up may still write one.

    Raises:
        OSError: a checkpoint exists but cannot be read now, and no other is there.
    """
    best, note = None, ""
    try:
        for file in sound_checkpoints(checkpoint):
            state = _read(file, started)
            if state is None:
                continue
            if state["device"] != device_kind(device):
                kind = state["device"]
                note = f"began anew: its checkpoint is of another kind of device ({kind})"
            elif best is None or _progress(state) > _progress(best):
                best = state
    except OSError:
        if best is None:
            raise
    return Found(best, "" if best else note)


def _read(file: IO[bytes], started: Started) -> dict[str, Any] | None:
    """The state in a checkpoint; None if it is of another trial, or in another format."""
    try:
        state: dict[str, Any] = torch.load(file, weights_only=True, map_location="cpu")
        same = state["started"] == started.to_json() and state["format"] == FORMAT
    except Exception as error:  # whatever the file holds, it must not end the trial
        if is_out_of_memory(error):
            raise
        return None
    return state if same else None


def _progress(state: Mapping[str, Any]) -> tuple[int, int]:
    """Finished epochs, and steps of the next one."""
    return len(state["epochs"]), state["under_way"][0] if state["under_way"] else 0
