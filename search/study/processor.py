"""Tells which CPU this machine has, and what it computes with."""

import hashlib
import platform
from collections.abc import Mapping
from functools import cache
from pathlib import Path

# The widest of each maker's instructions, by the system's word for it; the first that is there
# names the CPU. Members of one family differ in them, by several times in bf16.
_WIDEST = {
    "amx_bf16": "AMX-BF16",
    "avx512_bf16": "AVX512-BF16",
    "avx512f": "AVX512",
    "avx2": "AVX2",
}
# With one of these oneDNN, and so torch, has convolutions in bf16; without, loops of torch's
# own stand in for them.
_BF16 = {"avx512bw", "avx_ne_convert", "bf16"}


def processor() -> str:
    """The model of this machine's CPU as its maker names it, and its widest instructions.

    Virtual machines often give only a family's name, such as "AMD EPYC", whose members have
    AVX2 or AVX512-BF16.
    """
    flags = _able()
    return ", ".join([_model(), *[name for flag, name in _WIDEST.items() if flag in flags][:1]])


def processor_kind() -> str:
    """A CPU that rounds as this one does: its model by number, and a digest of what it can.

    Empty where the system does not tell.
    """
    told, flags = _told(), _able()
    if not flags:
        return ""
    numbers = [f"{key} {told.get(key, '?')}" for key in ("cpu family", "model", "stepping")]
    able = hashlib.sha256(" ".join(sorted(flags)).encode()).hexdigest()
    return f"{_model()}, {', '.join(numbers)}, able to {able[:12]}"


def lacks_bf16() -> bool:
    """Whether this machine's CPU has no bf16 that torch could use; False where nobody tells."""
    flags = _able()
    return bool(flags) and not flags & _BF16


def _model() -> str:
    return _told().get("model name") or platform.processor()


def _able() -> frozenset[str]:
    """What the CPU can, in the system's words."""
    told = _told()
    return frozenset(told.get("flags", told.get("Features", "")).split())


@cache
def _told() -> Mapping[str, str]:
    """What Linux tells of the first CPU; empty elsewhere."""
    try:
        first = Path("/proc/cpuinfo").read_text(encoding="utf-8").partition("\n\n")[0]
    except OSError:
        return {}
    lines = (line.partition(":") for line in first.splitlines() if ":" in line)
    return {key.strip(): value.strip() for key, _, value in lines}
