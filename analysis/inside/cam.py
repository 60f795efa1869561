"""Draws where networks look: Grad-CAM of one or two side by side, as in the paper's Fig. 4.

python -m analysis.inside.cam NAME --weights FILE IMAGE... [--against NAME FILE] [--class N]
                       [--layer layer4] [--out FILE]

FILE contains weights that `res2net.build` can read, such as those kept by a study
(runs/STUDY/networks/*.safetensors, whose .json describes how images were shown to the network),
or is `timm` for timm's weights.
"""

import argparse
import re
import sys
import textwrap
import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
import torch
from captum.attr import LayerGradCam
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image
from torch import Tensor, nn
from torchvision.models import get_weight

from analysis.inside.views import CamError, View, centre, opened, view_of
from analysis.plots.picture import SUFFIXES, PictureError, check_out, write_picture
from analysis.plots.style import styled
from res2net import Architecture, ArchitectureError, WeightsError, build, parse
from res2net.exit_codes import PLAIN, ExitCode, exit_code_help
from res2net.file_names import path_argument, printable, text_of
from res2net.names import hub_name
from res2net.terminal import run_command
from res2net.weights import HeadDropped
from search.schema.files import in_words

_SHOWN_SIDE = 448  # pixels of a panel, whatever size the networks see
_HEAT = "magma"  # perceptually uniform, also in grey: jet shows false edges
_IMAGENET_CLASSES = 1000
_TITLE_WIDTH = 36  # width of a panel in characters
_STYLE: dict[Any, Any] = {
    "font.size": 9,
    "axes.grid": False,
    "figure.constrained_layout.h_pad": 0.08,
    "figure.constrained_layout.w_pad": 0.08,
}


class Network(NamedTuple):
    """A network with weights, and the stage whose features give its maps."""

    architecture: Architecture
    module: nn.Module
    layer: str
    view: View


class Panel(NamedTuple):
    """Where one network looks in one image."""

    network: str
    target: int  # the class looked for
    label: str  # name of that class
    probability: float  # predicted by the network
    heat: npt.NDArray[np.float32]  # (_SHOWN_SIDE, _SHOWN_SIDE), maximum 1


def main(argv: Sequence[str]) -> int:
    """Draw what the arguments ask for; return 0, 1 for files that fail, or 2 for bad input."""
    return run_command(lambda: _main(argv), prints=False)


def _main(argv: Sequence[str]) -> int:
    asked = _parser().parse_intermixed_args(argv)
    try:
        out = check_out(asked.out) if asked.out else None
        named = [(asked.name, asked.weights), *([asked.against] if asked.against else [])]
        sources = [
            (parse(name, block=asked.block), hub_name(name) if weights == "timm" else weights)
            for name, weights in named
        ]
        architecture = sources[0][0]
        for each, _ in sources:
            _check(each, layer=asked.layer, target=asked.target)
        borders = {view_of(each, weights).border for each, weights in sources}
        if len(borders) > 1:
            raise CamError(
                "--against: one network is shown whole images, as those for CIFAR are, the "
                "other their centre, as those for ImageNet are; compare two of one kind"
            )
        out = out or check_out(Path(f"{architecture.name}_cam.png"))
        images = [opened(path) for path in asked.images]
        networks = [network(each, weights, layer=asked.layer) for each, weights in sources]
        rows = panels(networks, images, target=asked.target)
        titles = [printable(text_of(path.name)) for path in asked.images]
        figure = draw_panels(rows, images, titles=titles, border=borders.pop())
        write_picture(figure, out)
    except (ArchitectureError, CamError, PictureError, WeightsError) as error:
        print(error, file=sys.stderr)
        return ExitCode.BAD_INPUT
    except OSError as error:
        print(in_words(error), file=sys.stderr)
        return ExitCode.FAILED
    print(f"figure: {out}")
    return ExitCode.DONE


def network(architecture: Architecture, weights: str, *, layer: str | None = None) -> Network:
    """Load a network, ready for evaluation.

    Args:
        architecture: architecture of the weights, with the same number of classes.
        weights: a file, or "timm".
        layer: one of the skeleton's stages; by default the last.

    Raises:
        CamError: the file has a different number of classes.
        WeightsError: as raised by `res2net.build`.
    """
    with warnings.catch_warnings():
        # A classifier with random weights would look anywhere.
        warnings.simplefilter("error", HeadDropped)
        try:
            module = build(architecture, weights=weights)
        except HeadDropped as error:
            classes = int(re.findall(r"fc\.weight \((\d+)x", str(error))[0])
            raise CamError(
                f"{error}; name the network with the classes of the file: "
                f"{replace(architecture, classes=classes).name}"
            ) from error
    chosen = layer or architecture.facts.stages[-1]
    view = view_of(architecture, weights)
    view = view._replace(classes=view.classes or _names(architecture))
    return Network(architecture, module.eval(), chosen, view)


def _names(architecture: Architecture) -> tuple[str, ...]:
    """Names of ImageNet's classes if the network has as many; otherwise names are unknown."""
    if architecture.skeleton == "cifar" or architecture.classes != _IMAGENET_CLASSES:
        return ()
    return tuple(get_weight("ResNet50_Weights.IMAGENET1K_V2").meta["categories"])


def panels(
    networks: Sequence[Network], images: Sequence[Image.Image], *, target: int | None = None
) -> list[list[Panel]]:
    """Compute one row per image with one panel per network.

    Args:
        networks: from `network`.
        images: images of any size; each network sees the centre at its own size.
        target: the class to look for; by default the class that each network predicts.
    """
    return [[_panel(each, image, target) for each in networks] for image in images]


def grad_cam(module: nn.Module, layer: str, image: Tensor, *, target: int) -> Tensor:
    """Compute Grad-CAM (Selvaraju et al., 2017) with captum.

    Args:
        module: a classifier in evaluation mode.
        layer: name of a module in it that outputs a feature map.
        image: (1, 3, H, W), normalised.
        target: class whose score is backpropagated.

    Returns:
        (h, w) as the layer's features: the evidence for the class at each place, 0 or more.
    """
    method = LayerGradCam(module, module.get_submodule(layer))
    found: Tensor = method.attribute(image, target=target, relu_attributions=True)
    return found.detach()[0, 0]


def draw_panels(
    rows: Sequence[Sequence[Panel]],
    images: Sequence[Image.Image],
    *,
    titles: Sequence[str],
    border: float,
) -> Figure:
    """Draw the images, and beside each where the networks look.

    Args:
        rows: from `panels`.
        images: the same images as given to `panels`.
        titles: title of each image.
        border: share of the side, at each end, that the networks did not see.
    """
    columns = 1 + len(rows[0])
    with styled(**_STYLE):
        size = (2.9 * columns + 0.2, 3.3 * len(rows) + 0.7)
        figure = Figure(figsize=size, layout="constrained")
        axes = figure.subplots(len(rows), columns, squeeze=False)
        for row, image, title, row_axes in zip(rows, images, titles, axes, strict=True):
            shown = np.asarray(centre(image, _SHOWN_SIDE, border=border))
            for ax in row_axes:
                ax.imshow(shown)
                ax.set_axis_off()
            row_axes[0].set_title(title, fontsize="medium")
            for panel, ax in zip(row, row_axes[1:], strict=True):
                _draw_heat(panel, ax)
        scale = mpl.cm.ScalarMappable(mpl.colors.Normalize(0, 1), cmap=_HEAT)
        # Below the panels, because beside them it would collide with long titles.
        bar = figure.colorbar(
            scale, ax=axes, location="bottom", ticks=[0, 1], shrink=0.5, aspect=40, pad=0.02
        )
        bar.ax.set_xticklabels(["none", "most"])
        bar.set_label("evidence for the class, per panel")
    return figure


def _draw_heat(panel: Panel, ax: Axes) -> None:
    ax.imshow(panel.heat, cmap=_HEAT, vmin=0, vmax=1, alpha=0.55)
    said = textwrap.fill(f"class {panel.label}, {panel.probability:.1%}", _TITLE_WIDTH)
    if not panel.heat.any():
        said += " (no evidence)"
    name = textwrap.fill(panel.network, _TITLE_WIDTH)
    ax.set_title(f"{name}\n{said}", fontsize="medium")


def _panel(each: Network, image: Image.Image, target: int | None) -> Panel:
    view = each.view
    seen = _normalised(centre(image, view.side, border=view.border), view)
    with torch.no_grad():
        probabilities = each.module(seen).softmax(1)[0]
    target = int(probabilities.argmax()) if target is None else target
    label = view.classes[target] if target < len(view.classes) else str(target)
    found = grad_cam(each.module, each.layer, seen, target=target)[None, None]
    side = (_SHOWN_SIDE, _SHOWN_SIDE)
    heat = nn.functional.interpolate(found, side, mode="bilinear")[0, 0]
    heat = heat / heat.max() if heat.any() else heat
    probability = float(probabilities[target])
    return Panel(each.architecture.name, target, label, probability, heat.numpy())


def _normalised(image: Image.Image, view: View) -> Tensor:
    seen = image.convert("L") if len(view.mean) == 1 else image
    values = np.asarray(seen).reshape(view.side, view.side, len(view.mean))
    pixels = (values / 255 - view.mean) / view.std
    return torch.from_numpy(pixels).float().permute(2, 0, 1)[None]


def _check(architecture: Architecture, *, layer: str | None, target: int | None) -> None:
    name, stages = architecture.name, architecture.facts.stages
    if layer is not None and layer not in stages:
        known = ", ".join(stages)
        raise CamError(f"--layer: {layer!r} is not a stage of {name}; write one of: {known}")
    if target is not None and not 0 <= target < architecture.classes:
        last = architecture.classes - 1
        raise CamError(
            f"--class: {target} is not a class of {name}; write a number up to {last}"
        )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python -m analysis.inside.cam",
        description=__doc__.splitlines()[0],
        epilog=exit_code_help(PLAIN),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "name", metavar="NAME", help="name of the network, such as Res2Net-50-26w-4s"
    )
    parser.add_argument("images", metavar="IMAGE", nargs="+", type=path_argument)
    parser.add_argument("--weights", required=True, metavar="FILE", help="its weights, or timm")
    parser.add_argument("--block", metavar="NAME", help="block instead of the names' own")
    parser.add_argument(
        "--against", nargs=2, metavar=("NAME", "FILE"), help="a second network and its weights"
    )
    parser.add_argument(
        "--class",
        dest="target",
        type=int,
        metavar="N",
        help="class to look for; default: predicted",
    )
    parser.add_argument("--layer", metavar="STAGE", help="stage to look at; default: the last")
    parser.add_argument(
        "--out",
        type=path_argument,
        metavar="FILE",
        help=f"default: NAME_cam.png; its suffix gives the format: {' '.join(SUFFIXES)}",
    )
    return parser


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
