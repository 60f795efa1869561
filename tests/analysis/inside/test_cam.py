"""Grad-CAM against the method by hand, and the command with its refusals."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from sklearn.datasets import load_sample_images
from torch import nn

from analysis.inside.cam import Network, draw_panels, grad_cam, main, network, panels
from analysis.inside.views import CamError, opened, view_of
from res2net import Architecture, build

pytestmark = pytest.mark.usefixtures("one_thread")

SMALL = {
    "imagenet": Architecture(
        skeleton="imagenet", depth=(1, 2, 1, 1), planes=4, width=2, scale=3, classes=7
    ),
    "dla": Architecture(
        skeleton="dla", depth=(1, 2, 1, 1), planes=8, width=2, scale=2, classes=5
    ),
    "biglittle": Architecture(
        skeleton="biglittle", depth=(2, 2, 2, 1), planes=4, width=2, scale=2, classes=5
    ),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two photographs, and weights of each small network."""
    folder = tmp_path_factory.mktemp("cam")
    sample = load_sample_images()
    for name, image in zip(("china", "flower"), sample.images, strict=True):
        Image.fromarray(image).save(folder / f"{name}.jpg")
    for skeleton, architecture in SMALL.items():
        torch.save(build(architecture).state_dict(), folder / f"{skeleton}.pth")
    (folder / "text.jpg").write_text("no image")
    return folder


@pytest.mark.parametrize("skeleton", SMALL)
@pytest.mark.parametrize("place", [-1, 0])
def test_the_map_is_grad_cam_by_hand(skeleton: str, place: int) -> None:
    architecture = SMALL[skeleton]
    layer = architecture.facts.stages[place]
    module = build(architecture, seed=1).eval()
    image = torch.rand(1, 3, 96, 128, generator=torch.Generator().manual_seed(0))
    parts = dict(module.named_children())
    after = list(parts).index(layer) + 1
    features = nn.Sequential(*list(parts.values())[:after])(image)
    scores = nn.Sequential(*list(parts.values())[after:])(features)[0]
    found = []
    for target, score in enumerate(scores):
        (gradient,) = torch.autograd.grad(score, features, retain_graph=True)
        by_hand = torch.einsum("c,chw->hw", gradient[0].mean((1, 2)), features[0]).relu()
        found.append(grad_cam(module, layer, image, target=target))
        torch.testing.assert_close(found[-1], by_hand.detach())
    assert sum(map.any() for map in found) > 1


def test_the_class_is_the_predicted_one_unless_it_is_said(folder: Path) -> None:
    each = network(SMALL["dla"], str(folder / "dla.pth"))
    image = opened(folder / "china.jpg")
    [[free]] = panels([each], [image])
    assert free.heat.min() >= 0
    assert free.heat.max() == 1
    chances = []
    for target in range(SMALL["dla"].classes):
        [[said]] = panels([each], [image], target=target)
        assert said.target == target
        chances.append(said.probability)
    assert sum(chances) == pytest.approx(1)
    assert (free.target, free.probability) == (int(np.argmax(chances)), max(chances))


def test_what_is_drawn_are_the_maps_in_their_places(folder: Path) -> None:
    networks = [
        network(SMALL[kind], str(folder / f"{kind}.pth")) for kind in ("imagenet", "dla")
    ]
    images = [opened(folder / "china.jpg"), opened(folder / "flower.jpg")]
    rows = panels(networks, images)
    axes = draw_panels(rows, images, titles=["china", "flower"], border=0.0).axes
    assert [axes[0].get_title(), axes[3].get_title()] == ["china", "flower"]
    for row, places in zip(rows, (axes[1:3], axes[4:6]), strict=True):
        for panel, ax in zip(row, places, strict=True):
            said = f"class {panel.target}, {panel.probability:.1%}"
            assert panel.network in ax.get_title()
            assert said in ax.get_title()
            np.testing.assert_array_equal(ax.images[1].get_array(), panel.heat)


def test_classes_of_imagenet_have_names_and_others_numbers(folder: Path) -> None:
    def names_of(architecture: Architecture) -> tuple[str, ...]:
        path = folder / f"{architecture.name}.pth"
        torch.save(build(architecture).state_dict(), path)
        return network(architecture, str(path)).view.classes

    small = {"planes": 4, "width": 2, "scale": 2, "classes": 1000}
    names = names_of(Architecture(skeleton="imagenet", depth=(1, 1, 1, 1), **small))
    # The first and the last synset of ILSVRC 2012, and number 207 in everybody's examples.
    assert (names[0], names[207], names[999]) == ("tench", "golden retriever", "toilet tissue")
    assert names_of(SMALL["imagenet"]) == ()
    assert names_of(Architecture(skeleton="cifar", depth=20, **small)) == ()


def test_colours_are_even_and_the_bar_is_out_of_the_way_of_titles(folder: Path) -> None:
    each = network(SMALL["dla"], str(folder / "dla.pth"))
    image = opened(folder / "china.jpg")
    rows = [
        [
            panel._replace(network="x" * 60, label="y " * 40)
            for panel in panels([each] * 2, [image])[0]
        ]
    ]
    figure = draw_panels(rows, [image], titles=["china"], border=0.0)
    figure.draw_without_rendering()
    *shown, bar = figure.axes
    assert {one.images[-1].get_cmap().name for one in shown[1:]} == {"magma"}
    titles = [one.title.get_window_extent() for one in shown]
    assert not any(a.overlaps(b) for i, a in enumerate(titles) for b in titles[:i])
    assert not any(title.overlaps(bar.get_window_extent()) for title in titles)


def test_a_map_without_evidence_says_so(folder: Path) -> None:
    each = network(SMALL["dla"], str(folder / "dla.pth"))
    nn.init.zeros_(each.module.get_submodule("fc").weight)
    image = opened(folder / "flower.jpg")
    rows = panels([each], [image])
    assert not rows[0][0].heat.any()
    title = draw_panels(rows, [image], titles=["flower"], border=0.0).axes[1].get_title()
    assert title.endswith("(no evidence)")


def test_the_image_is_cut_like_the_published_evaluation_s() -> None:
    """A short side of 256 and its middle 224, of the wide image's middle."""
    pixels = np.zeros((256, 400, 3), dtype=np.uint8)
    pixels[16:240, 88:312] = 255
    seen: list[torch.Tensor] = []
    architecture = SMALL["imagenet"]
    module = build(architecture).eval()
    module.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    each = Network(architecture, module, "layer4", view_of(architecture))
    panels([each], [Image.fromarray(pixels)])
    white = (1 - np.array([0.485, 0.456, 0.406])) / [0.229, 0.224, 0.225]
    assert seen[0].shape == (1, 3, 224, 224)
    np.testing.assert_allclose(
        seen[0][0].numpy(), np.broadcast_to(white[:, None, None], (3, 224, 224)), rtol=1e-5
    )


def test_kept_weights_say_how_their_network_is_shown_images(tmp_path: Path) -> None:
    """As a study keeps them: tensors, and beside them the statistics of its images."""
    architecture = SMALL["dla"]
    path = tmp_path / f"{architecture.name}-seed0.safetensors"
    module = build(architecture, seed=3).eval()
    save_file(module.state_dict(), path)
    about = {
        "name": architecture.name, "classes": ["ant", "bee", "cat", "dog", "elk"],
        "mean": [0.5, 0.5, 0.5], "std": [0.25, 0.25, 0.25], "resolution": 64,
    }  # fmt: skip
    path.with_suffix(".json").write_text(json.dumps(about), encoding="utf-8")
    each = network(architecture, str(path))
    image = Image.new("RGB", (80, 80), (255, 0, 0))
    [[panel]] = panels([each], [image])
    seen = torch.tensor([2.0, -2.0, -2.0])[None, :, None, None].expand(1, 3, 64, 64)
    with torch.no_grad():
        expected = module(seen).softmax(1)[0]
    assert panel.probability == pytest.approx(float(expected.max()), rel=1e-5)
    assert panel.label == about["classes"][int(expected.argmax())]
    axes = draw_panels([[panel]], [image], titles=["red"], border=each.view.border).axes
    assert f"class {panel.label}, " in axes[1].get_title()
    path.with_suffix(".json").write_text("[]", encoding="utf-8")
    with pytest.raises(CamError, match="does not say how its network is shown images"):
        network(architecture, str(path))


def test_an_image_is_read_upright_and_in_colour(tmp_path: Path) -> None:
    path, exif = tmp_path / "turned.png", Image.Exif()
    exif[0x0112] = 6  # turned by 90 degrees
    Image.new("L", (30, 20)).save(path, exif=exif)
    assert (opened(path).size, opened(path).mode) == ((20, 30), "RGB")


def test_two_networks_and_two_images_make_a_picture(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "both.png"
    command = [
        SMALL["imagenet"].name, "--weights", f"{folder}/imagenet.pth",
        f"{folder}/china.jpg", f"{folder}/flower.jpg",
        "--against", SMALL["dla"].name, f"{folder}/dla.pth", "--class", "4", "--out", f"{out}",
    ]  # fmt: skip
    assert main(command) == 0
    assert capsys.readouterr().out == f"figure: {out}\n"
    assert out.read_bytes().startswith(b"\x89PNG")


REFUSED = {
    "unknown network": ({"NAME": "VGG-16"}, "name: 'VGG-16' is not the name"),
    "unknown second": (
        {"--against": ["Incep", "{f}/dla.pth"]},
        "name: 'Incep' is not the name",
    ),
    "class": ({"--class": "7"}, "--class: 7 is not a class of .*; write a number up to 6"),
    "class of the second": (
        {"--class": "6"},
        "--class: 6 is not a class of (resnet|res2net)_dla",
    ),
    "class below 0": ({"--class": "-1"}, "--class: -1 is not a class"),
    "layer": ({"--layer": "fc"}, "--layer: 'fc' is not a stage of .*: layer1, layer2, layer3"),
    "layer of one": ({"--layer": "level5"}, "--layer: 'level5' is not a stage of res2net1"),
    "no image": ({"IMAGE": "{f}/text.jpg"}, "text.jpg: cannot be read as an image .*; name a"),
    "no file": ({"IMAGE": "{f}/none.jpg"}, "none.jpg: cannot be read as an image .*; name a"),
    "other weights": ({"--weights": "{f}/dla.pth"}, "dla.pth: not the weights of res2net1"),
    "no weights": ({"--weights": "{f}/none.pth"}, "none.pth: there is no such file"),
    "no folder": ({"--out": "{f}/none/cam.png"}, "--out: .*none/cam.png cannot be written"),
    "unknown suffix": (
        {"--out": "{f}/cam.doc", "NAME": "VGG-16"},
        "cam.doc: the suffix '.doc' is unknown.* write one of: .png .pdf .svg",
    ),
    "no suffix": ({"--out": "{f}/cam", "NAME": "VGG-16"}, "there is no suffix.* write one of:"),
    "a folder": ({"--out": "{f}"}, "--out: .* cannot be written; give a file in a folder"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_does_not_fit_is_refused_before_anything_is_drawn(
    case: str,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    change, message = REFUSED[case]
    monkeypatch.chdir(tmp_path)
    asked: dict[str, object] = {
        "NAME": SMALL["imagenet"].name,
        "--weights": "{f}/imagenet.pth",
        "IMAGE": "{f}/china.jpg",
        "--against": [SMALL["dla"].name, "{f}/dla.pth"],
    }
    command: list[str] = []
    for key, value in (asked | change).items():
        command += [key] if key.startswith("--") else []
        command += value if isinstance(value, list) else [str(value)]
    assert main([word.replace("{f}", str(folder)) for word in command]) == 2
    said = capsys.readouterr()
    assert re.search(message, said.err)
    assert not said.out
    assert not list(tmp_path.iterdir())


def test_weights_of_other_classes_would_look_anywhere(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = SMALL["imagenet"].name.replace("7classes", "8classes")
    assert main([name, "--weights", f"{folder}/imagenet.pth", f"{folder}/china.jpg"]) == 2
    said = capsys.readouterr().err
    assert f"name the network with the classes of the file: {SMALL['imagenet'].name}" in said


def test_weights_of_timm_are_asked_for_by_that_word(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([SMALL["dla"].name, "--weights", "timm", f"{folder}/china.jpg"]) == 2
    assert "timm has no weights of" in capsys.readouterr().err


def test_a_network_fetched_from_timm(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where there is a network: `from_timm` gives tensors, and they are the module's."""
    architecture = SMALL["imagenet"]
    theirs = build(architecture, seed=5).state_dict()
    monkeypatch.setattr("res2net.weights.loading.from_timm", lambda *_: theirs)
    ours = network(architecture, "timm").module.state_dict()
    assert all(torch.equal(ours[key], tensor) for key, tensor in theirs.items())


def test_weights_must_be_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main([SMALL["dla"].name, f"{folder}/china.jpg"])
    assert "--weights" in capsys.readouterr().err
