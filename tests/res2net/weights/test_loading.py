"""What a checkpoint file becomes: a whole network, or an error and nothing."""

import os
import pickle
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from res2net import ArchitectureError, build, parse
from res2net.errors import WeightsError
from res2net.weights import HeadDropped, fill, from_timm
from tests.res2net.test_against_timm import randomise_norms

TINY = "res2net1.2.1.1_3w3s_8p"
SOME = {"x": torch.ones(50)}


def trained(module: nn.Module) -> nn.Module:
    """Norms as after training; fresh ones would hide mistakes."""
    randomise_norms(module, torch.Generator().manual_seed(0))
    for part in module.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.num_batches_tracked.fill_(7)
    return module.eval()


def assert_same_tensors(one: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> None:
    assert list(one) == list(other)
    assert all(torch.equal(one[key], other[key]) for key in one)


def saved(checkpoint: object, folder: Path) -> Path:
    torch.save(checkpoint, folder / "checkpoint.pth")
    return folder / "checkpoint.pth"


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
@pytest.mark.parametrize(
    "name",
    [
        TINY,
        f"{TINY}_v1b_se",
        "res2next11_2c3w4s_8p",
        "resnet11_2.3.4w_8p",
        "res2net_dla60_3w4s_8p",
        "blres2net2.2.2.1_4w3s_8p",
    ],
)
def test_ours_come_back_as_they_were(name: str, suffix: str, tmp_path: Path) -> None:
    state = trained(build(name, seed=3)).state_dict()
    path = tmp_path / f"ours{suffix}"
    save_file(state, path) if suffix == ".safetensors" else torch.save(state, path)
    assert_same_tensors(build(name, weights=path).state_dict(), state)


def test_norms_of_old_torch_counted_no_batches(tmp_path: Path) -> None:
    state = trained(build(TINY)).state_dict()
    old = {k: t for k, t in state.items() if not k.endswith("num_batches_tracked")}
    assert len(old) < len(state)
    expected = {
        k: t if k in old else torch.zeros((), dtype=torch.long) for k, t in state.items()
    }
    assert_same_tensors(build(TINY, weights=saved(old, tmp_path)).state_dict(), expected)


@pytest.mark.parametrize("name", [TINY, "resnet_dla46_3w_8p"])
def test_other_classes_keep_all_but_the_classifier(name: str, tmp_path: Path) -> None:
    state = trained(build(name)).state_dict()
    dims = "x".join(map(str, state["fc.weight"].shape))
    path = saved(state, tmp_path)
    message = (
        rf"pth: left out fc.weight \({dims}\), fc.bias \(1000\); the network has 7 classes"
    )
    with pytest.warns(HeadDropped, match=message):
        ours = build(f"{name}_7classes", weights=path)
    head = {k: t for k, t in build(f"{name}_7classes").state_dict().items() if k[:3] == "fc."}
    assert_same_tensors(ours.state_dict(), state | head)


def test_a_backbone_wants_no_more_than_it_has(tmp_path: Path) -> None:
    state = trained(build(TINY)).state_dict()
    part = build(TINY, weights=saved(state, tmp_path), features=(1, 2), output_stride=16)
    kept = {k: t for k, t in state.items() if not k.startswith(("layer3", "layer4", "fc"))}
    assert_same_tensors(part.state_dict(), kept)
    again = build(TINY, weights=saved(kept, tmp_path), features={2: "deep"})
    assert_same_tensors(again.state_dict(), kept)
    build(
        f"{TINY}_7classes", weights=saved(state, tmp_path), features=(1,)
    )  # and needs no warning
    with pytest.raises(WeightsError, match=r"unexpected: layer4.1.conv1.weight"):
        build(
            TINY,
            weights=saved(build("res2net1.2.1.2_3w3s_8p").state_dict(), tmp_path),
            features=(1,),
        )


def test_the_wrong_network_is_told_key_by_key_and_shape_by_shape(tmp_path: Path) -> None:
    path = saved(build("res2net2.1.1.1_4w3s_8p").state_dict(), tmp_path)
    with pytest.raises(WeightsError) as told:
        build(TINY, weights=path)
    first, missing, unexpected, shapes, remedy = str(told.value).split("\n")
    assert first == f"{path}: not the weights of {TINY}"
    assert missing.startswith("  missing: layer2.1.conv1.weight (18x64x1x1), layer2.1.")
    assert missing.endswith(" and 12 more")  # 20 tensors in all
    assert unexpected.startswith("  unexpected: layer1.1.conv1.weight (")
    assert shapes.startswith(
        "  of another shape: layer1.0.conv1.weight (12x8x1x1, should be 9x8x1x1), "
    )
    assert remedy == "name the architecture that these weights were made with"


@pytest.mark.parametrize(
    ("key", "tensor", "message"),
    [
        ("fc.weight", torch.ones(1000, 3), r"fc.weight \(1000x3, should be 1000x256\)"),
        ("fc.bias", torch.ones(9), r"fc.bias \(9, should be 1000\)"),
        (
            "bn1.bias",
            torch.ones(8, dtype=torch.int8),
            r"bn1.bias \(8 int8 strided, should be 8\)",
        ),
        (
            "bn1.bias",
            torch.ones(8).to_sparse(),
            r"bn1.bias \(8 float32 sparse_coo, should be 8\)",
        ),
        ("bn1.bias", torch.ones(()), r"bn1.bias \(one number, should be 8\)"),
        ("layer1.0.convs.1.weight", torch.ones(2), r"convs.1.weight \(2, should be 3x3x3x3\)"),
        ("bn9.bias", torch.ones(8), r"unexpected: bn9.bias \(8\)\n"),
    ],
)
def test_where_one_tensor_does_not_fit_none_is_copied(
    key: str, tensor: Tensor, message: str
) -> None:
    module = build(TINY)
    before = {name: t.clone() for name, t in module.state_dict().items()}
    state = trained(build(TINY, seed=3)).state_dict() | {key: tensor}
    for given in (state, {f"backbone.{name}": t for name, t in state.items()}):
        with pytest.raises(WeightsError, match=rf"^here: not the weights(.|\n)*{message}"):
            fill(module, parse(TINY), given, source="here")
    assert_same_tensors(module.state_dict(), before)


class Trap:
    """Makes a file when it is unpickled without care."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[Any, ...]:
        return (os.mkdir, (str(self.target),))


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("inside", [True, False])
def test_code_in_a_pickle_is_not_run(zipped: bool, inside: bool, tmp_path: Path) -> None:
    target, path = tmp_path / "sprung", tmp_path / "trap.pth"
    trap = Trap(target)
    checkpoint = build(TINY).state_dict() | {"x": trap} if inside else {"x": 1, "arg": trap}
    torch.save(checkpoint, path, _use_new_zipfile_serialization=zipped)
    with pytest.raises(
        WeightsError, match=r"trap.pth: contains more than tensors \(posix.mkdir\)"
    ):
        build(TINY, weights=path)
    assert not target.exists()
    torch.load(path, weights_only=False)
    assert target.exists(), "the trap was no trap"


def half(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


@pytest.mark.parametrize(
    ("name", "write", "message"),
    [
        (
            "a.onnx",
            lambda p: p.write_bytes(b""),
            "a.onnx: no kind .* are: .pth, .*.safetensors$",
        ),
        ("a.pth", lambda p: None, "a.pth: there is no such file"),
        ("a.pth", Path.mkdir, "a.pth: there is no such file"),
        ("a.pth", lambda p: p.write_bytes(b""), r"a.pth: cannot be read whole \(EOFError\)"),
        (
            "a.PT",
            lambda p: p.write_text("<html>"),
            r"read whole \(UnpicklingError: Unsupported",
        ),
        (
            "a.pth",
            lambda p: (torch.save(SOME, p), half(p)),
            "whole .RuntimeError: PytorchStream",
        ),
        ("a.pth", lambda p: p.write_bytes(pickle.dumps({"x": 1})), "cannot be read whole"),
        (
            "a.pth.tar",
            lambda p: torch.save(nn.Linear(2, 2), p),
            r"contains a torch.nn.modules.linear.Linear, not tensors by name",
        ),
        (
            "a.bin",
            lambda p: torch.save([torch.ones(2)], p),
            "a.bin: contains a list, not tensors",
        ),
        (
            "a.pth",
            lambda p: torch.save({"epoch": 3, **SOME}, p),
            "missing: conv1.weight .*\n  unexpected: x .50",
        ),
        (
            "a.pth",
            lambda p: torch.save({1: torch.ones(2)}, p),
            "a.pth: contains no tensors by name",
        ),
        (
            "a.pth",
            lambda p: torch.save({"model": {}}, p),
            "a.pth: contains no tensors by name; write it",
        ),
        (
            "a.safetensors",
            lambda p: (save_file(SOME, p), half(p)),
            "whole .SafetensorError: Err",
        ),
        ("a.safetensors", lambda p: p.write_bytes(b""), "cannot be read whole"),
        ("a.safetensors", lambda p: torch.save(SOME, p), "cannot be read whole"),
    ],
)
def test_files_that_are_no_weights(
    name: str, write: Callable[[Path], object], message: str, tmp_path: Path
) -> None:
    write(tmp_path / name)
    with pytest.raises(WeightsError, match=message):
        build(TINY, weights=str(tmp_path / name))


def test_what_is_refused_before_it_is_read(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="device: 'meta' has shapes but no weights"):
        build(TINY, weights=tmp_path / "a.pth", device="meta")
    with pytest.raises(ArchitectureError, match="nonsense"):
        build("nonsense", weights=tmp_path / "a.pth")


def test_timm_s_weights_are_fetched_and_nothing_else_is_touched(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    timm = pytest.importorskip("timm")
    asked = []

    def create_model(name: str, *, pretrained: bool) -> nn.Module:
        asked.append((name, pretrained))
        return nn.Linear(2, 2)

    monkeypatch.setattr(timm, "create_model", create_model)
    before = torch.random.get_rng_state()
    assert from_timm(parse("Res2Net-v1b-101")).keys() == {"weight", "bias"}
    assert asked == [("res2net101d", True)]
    assert torch.equal(before, torch.random.get_rng_state())
    for name, weights in (
        ("resnet50.tv_in1k", "timm"), ("timm/resnet50.tv_in1k", "timm"),
        ("ResNet-50", "timm/resnet50.tv_in1k"),
    ):  # fmt: skip
        with pytest.raises(WeightsError, match="not the weights of resnet50_64w"):
            build(name, weights=weights)
        assert asked.pop() == ("resnet50.tv_in1k", True), "the set that was named"
    with pytest.raises(WeightsError, match=r"timm/resnet50.tv_in1k: not of resnext50_32c4w"):
        build("resnext50_32x4d", weights="timm/resnet50.tv_in1k")


def test_a_damaged_archive_is_no_whole_file(tmp_path: Path) -> None:
    torch.save(build(TINY).state_dict(), tmp_path / "a.pt")
    content = bytearray((tmp_path / "a.pt").read_bytes())
    content[content.rindex(b"PK\x01\x02")] ^= 0xFF  # in the list of what the archive holds
    (tmp_path / "a.pt").write_bytes(content)
    with pytest.raises(WeightsError, match="cannot be read whole"):
        build(TINY, weights=tmp_path / "a.pt")


def test_a_folder_called_timm_is_not_timm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a checkout of it."""
    (tmp_path / "timm").mkdir()
    monkeypatch.chdir(tmp_path)
    for weights in ("timm", "timm/foo.bar"):
        with pytest.raises(WeightsError, match=r"timm has no weights of|timm/foo\.bar: not of"):
            build(TINY if weights == "timm" else "resnet50", weights=weights)


def test_a_program_of_torchscript_is_no_file_of_weights(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.pt", "w") as archive:
        for name in ("data.pkl", "constants.pkl", "code/__torch__.py"):
            archive.writestr(f"a/{name}", "")
    with pytest.raises(WeightsError, match=r"is a whole program of TorchScript.*torch.jit.lo"):
        build(TINY, weights=tmp_path / "a.pt")


def test_timm_has_not_all_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(
        WeightsError, match=rf"no weights of {TINY}; it has .*: res2net50_26w_4s,"
    ):
        from_timm(parse(TINY))
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(
        WeightsError, match=r"timm's dla60: timm cannot be imported .*pip install"
    ):
        from_timm(parse("dla60"))


@pytest.mark.slow
def test_without_a_network_timm_s_weights_cannot_be_had(tmp_path: Path) -> None:
    pytest.importorskip("timm")
    program = (
        "from res2net import WeightsError, parse; from res2net.weights import from_timm\n"
        "try: from_timm(parse('res2net50d'))\n"
        "except WeightsError as error: print(error)\n"
    )
    # The hub reads its settings once, when it is imported: a process of its own.
    offline = {"HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path), "TORCH_HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | offline, capture_output=True, text=True, timeout=60, check=True,
        cwd=Path(__file__).parents[3],
    )  # fmt: skip
    assert re.match(
        r"timm's res2net50d: could not be fetched \(.+\); this needs a network", done.stdout
    ), done
