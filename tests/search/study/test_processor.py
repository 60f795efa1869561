"""What the system says of this CPU is what torch makes of it."""

import hashlib
from pathlib import Path

import pytest
import torch

from search.engine.bench import device_name
from search.study import processor as module
from search.study.processor import (
    is_same_kind,
    is_same_name,
    lacks_bf16,
    processor,
    processor_kind,
)

pytestmark = pytest.mark.skipif(
    "flags" not in module._told(), reason="only Linux on x86 tells what its CPU can"
)


def test_torch_has_convolutions_in_bf16_where_the_cpu_does_not_lack_them() -> None:
    has = torch.ops.mkldnn._is_mkldnn_bf16_supported()
    untold = "avx_vnni" in module._able() and "avx512bw" not in module._able()
    assert untold or has is not lacks_bf16()


def test_the_name_ends_with_the_instructions_that_torch_finds() -> None:
    wide = torch.backends.cpu.get_cpu_capability()
    assert ("AVX512" in wide) == any(word in processor() for word in ("AVX512", "AMX"))
    assert ("AVX2" in wide) == processor().endswith(", AVX2")
    assert device_name(torch.device("cpu")) == f"cpu ({processor()})"


def test_the_kind_tells_two_cpus_of_one_name_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    told = {"model name": "AMD EPYC", "cpu family": "25", "model": "1", "stepping": "1"}
    told["flags"] = "fpu avx avx2"
    monkeypatch.setattr(module, "_told", lambda: told)
    older, kind = processor(), processor_kind()
    assert older == "AMD EPYC, AVX2"
    assert lacks_bf16()
    told |= {"model": "17", "flags": "fpu avx avx2 avx512f avx512bw avx512_bf16"}
    assert processor() == "AMD EPYC, AVX512-BF16"
    assert processor_kind() != kind
    assert not lacks_bf16()
    kind = processor_kind()
    told["flags"] += " hypervisor tsc_known_freq md_clear"  # of the system, not of the CPU
    assert (processor_kind(), is_same_kind(kind)) == (kind, True)
    told["flags"] = ""
    assert processor() == "AMD EPYC"
    assert not lacks_bf16(), "nobody tells"


def test_what_earlier_versions_noted_is_known_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """All flags and the stepping, as the table that ships has them; names alone."""
    told = {"model name": "AMD EPYC", "cpu family": "25", "model": "17", "stepping": "1"}
    told["flags"] = "fpu avx2 xtopology"
    monkeypatch.setattr(module, "_told", lambda: told)
    able = hashlib.sha256(b"avx2 fpu xtopology").hexdigest()[:12]
    noted = f"AMD EPYC, cpu family 25, model 17, stepping 1, able to {able}"
    assert is_same_kind(noted)
    assert not is_same_kind(noted.replace("17", "1"))
    assert not is_same_kind("")
    assert is_same_name("AMD EPYC")
    assert is_same_name("AMD EPYC, AVX2")
    assert not is_same_name("AMD EPYC, AVX512")


def test_cpus_of_arm_are_told_apart_by_their_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    told = {"CPU implementer": "0x41", "CPU part": "0xd0c", "Features": "fp asimd"}
    monkeypatch.setattr(module, "_told", lambda: told)
    assert processor(), "of the system, where the CPU has no name"
    kind = processor_kind()
    assert lacks_bf16()
    told |= {"CPU part": "0xd40", "Features": "fp asimd bf16"}
    assert not is_same_kind(kind)
    assert not lacks_bf16()


def test_where_nothing_is_told_there_is_no_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere(_: Path, encoding: str, errors: str) -> str:
        raise FileNotFoundError(encoding)

    monkeypatch.setattr(Path, "read_text", nowhere)
    module._told.cache_clear()
    try:
        assert (processor_kind(), lacks_bf16()) == ("", False)
    finally:
        module._told.cache_clear()
