"""What the system says of this CPU is what torch makes of it."""

from pathlib import Path

import pytest
import torch

from search.engine.bench import device_name
from search.study import processor as module
from search.study.processor import lacks_bf16, processor, processor_kind

pytestmark = pytest.mark.skipif(
    "flags" not in module._told(), reason="only Linux on x86 tells what its CPU can"
)


def test_torch_has_convolutions_in_bf16_where_the_cpu_does_not_lack_them() -> None:
    assert torch.ops.mkldnn._is_mkldnn_bf16_supported() is not lacks_bf16()


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
    told["flags"] = ""
    assert processor() == "AMD EPYC"
    assert not lacks_bf16(), "nobody tells"


def test_where_nothing_is_told_there_is_no_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere(_: Path, encoding: str) -> str:
        raise FileNotFoundError(encoding)

    monkeypatch.setattr(Path, "read_text", nowhere)
    module._told.cache_clear()
    try:
        assert (processor_kind(), lacks_bf16()) == ("", False)
    finally:
        module._told.cache_clear()
