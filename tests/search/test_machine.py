"""What this machine is asked before a study starts on its GPU."""

import pytest
import torch

from search.engine.meter import stated_peak
from search.machine import _visible, has_kernels, unusable_gpu
from search.schema.training import ChosenPrecision

# What torch 2.15 for CUDA 13 is built for.
BUILT = ["sm_75", "sm_80", "sm_86", "sm_90", "sm_100", "sm_120"]


@pytest.mark.parametrize(
    ("kind", "runs"),
    [((7, 5), True), ((8, 9), True), ((9, 0), True), ((12, 0), True), ((12, 1), True),
     ((7, 0), False), ((6, 1), False), ((11, 0), False)],
)  # fmt: skip
def test_a_gpu_runs_code_of_its_own_generation(kind: tuple[int, int], runs: bool) -> None:
    """T4, L4, H200 and RTX 5090 do; V100 and GTX 1080 would end with no kernel image."""
    assert has_kernels(kind, BUILT) is runs


def test_code_that_is_compiled_when_it_is_loaded_runs_on_later_ones() -> None:
    assert has_kernels((11, 0), [*BUILT, "compute_100"])
    assert not has_kernels((7, 0), [*BUILT, "compute_100", "sm_90a"])
    assert has_kernels((9, 0), ["gfx90a"]), "of another maker: nothing is known"


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without a GPU")
def test_why_torch_cannot_use_a_gpu_is_a_line() -> None:
    said = unusable_gpu()
    assert torch.__version__ in said
    assert "\n" not in said


@pytest.mark.parametrize(
    ("listed", "left"),
    [(None, None), ("", 0), ("0", 1), ("0,1", 2), ("-1", 0), ("0,-1,1", 1), ("0,0", 1),
     ("GPU-1f, GPU-2e", 2)],
)  # fmt: skip
def test_gpus_are_hidden_as_cuda_hides_them(
    monkeypatch: pytest.MonkeyPatch, listed: str | None, left: int | None
) -> None:
    if listed is None:
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    else:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", listed)
    assert _visible() == left


@pytest.mark.parametrize(
    ("name", "tera"),
    [("NVIDIA H200", 989), ("NVIDIA H100 PCIe", 756), ("NVIDIA A100-SXM4-80GB", 312),
     ("NVIDIA GeForce RTX 4090", 165), ("NVIDIA A100-SXM4-80GB MIG 1g.10gb", None),
     ("NVIDIA H100 NVL", None), ("NVIDIA GeForce RTX 4090 Laptop GPU", None),
     ("NVIDIA GeForce RTX 4090 D", None), ("NVIDIA GeForce RTX 3090 Ti", None),
     ("Tesla T4", None)],
)  # fmt: skip
def test_a_part_or_variant_of_a_gpu_has_not_its_throughput(name: str, tera: int | None) -> None:
    assert stated_peak(name) == (None if tera is None else tera * 1e12)


def test_a_gpu_without_bf16_is_the_reason_for_fp32() -> None:
    chosen = ChosenPrecision(
        precision="fp32", bf16=None, fp32=0.01, network="resnet20", device="Tesla T4"
    )
    assert ChosenPrecision.model_validate(chosen.model_dump()).in_words == (
        "Tesla T4 does not support bf16"
    )
