"""Identifies this machine's CPU and the instructions it computes with."""

import hashlib
import platform
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

# Instruction sets from the widest, by Linux's flag; the first one present is added to the
# CPU's name. Members of a family differ in them, and so in speed, severalfold in bf16.
_WIDEST = {
    "amx_bf16": "AMX-BF16",
    "avx512_bf16": "AVX512-BF16",
    "avx512f": "AVX512",
    "avx2": "AVX2",
}
# With one of these flags oneDNN, and so torch, has bf16 convolutions; without, torch uses its
# own loops. CPUs with the second flag may have them without Linux listing it.
_BF16, _PERHAPS_BF16 = {"avx512bw", "bf16"}, {"avx_vnni"}
# Flags of arithmetic; the other flags that Linux lists vary with its version and host.
_ARITHMETIC = re.compile(
    r"sse\w*|ssse3|pni|avx\w*|fma|f16c|amx\w*|asimd\w*|sve\w*|fp|fphp|bf16|i8mm"
)
_NUMBERS = ("cpu family", "model", "CPU implementer", "CPU part", "CPU variant")


def processor() -> str:
    """The model of this machine's CPU as its maker names it, and its widest instructions.

    The instructions are added because virtual machines often give only a family's name, such as
    "AMD EPYC", whose members have AVX2 or AVX512-BF16.
    """
    flags = _able()
    return ", ".join([_model(), *[name for flag, name in _WIDEST.items() if flag in flags][:1]])


def processor_kind() -> str:
    """Identify the CPU by model numbers and a digest of its arithmetic, which decide rounding.

    Empty where the system does not give them.
    """
    return _kind(_NUMBERS, {flag for flag in _able() if _ARITHMETIC.fullmatch(flag)})


def is_same_kind(noted: str) -> bool:
    """Whether a recorded kind is this machine's; earlier versions recorded more flags."""
    earlier = _kind(("cpu family", "model", "stepping"), _able())
    return noted in {processor_kind(), earlier} - {""}


def is_same_name(noted: str) -> bool:
    """Whether a recorded name is this CPU's; earlier versions left instructions out."""
    return noted in {processor(), _model()}


def lacks_bf16() -> bool:
    """Whether this CPU lacks bf16 that torch could use; False where that is unknown."""
    flags = _able()
    return bool(flags) and not flags & (_BF16 | _PERHAPS_BF16)


def _kind(numbers: tuple[str, ...], flags: set[str] | frozenset[str]) -> str:
    told = _told()
    if not flags:
        return ""
    known = [f"{key} {told[key]}" for key in numbers if key in told]
    able = hashlib.sha256(" ".join(sorted(flags)).encode()).hexdigest()
    return ", ".join([_model(), *known, f"able to {able[:12]}"])


def _model() -> str:
    return _told().get("model name") or platform.processor() or platform.machine()


def _able() -> frozenset[str]:
    """The CPU's flags, as the system names them."""
    told = _told()
    return frozenset(told.get("flags", told.get("Features", "")).split())


@cache
def _told() -> Mapping[str, str]:
    """What Linux reports of the first CPU; empty on other systems."""
    try:
        told = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return {}
    first = told.partition("\n\n")[0]
    lines = (line.partition(":") for line in first.splitlines() if ":" in line)
    return {key.strip(): value.strip() for key, _, value in lines}
