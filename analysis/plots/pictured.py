"""Draws images, ground truth and predictions of networks, as in the paper's Figs. 6 and 7."""

from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from analysis.plots.style import entitle, panelled
from analysis.questions.pictured import Seen
from search.scenes.scene import IGNORED, Scene

_PALETTE = "tab20"
_DIM = 0.45  # brightness of the image below a map or masks
_COVER = 0.6  # opacity of a mask


def draw_pictured(seen: Sequence[Seen], *, score: str, title: str) -> Figure:
    """Draw a row per image: the image, the ground truth, and each network's prediction.

    Args:
        seen: from `analysis.questions.pictured.pictured`.
        score: name of the score by which networks are compared, with its unit.
        title: title of the figure, which describes the run.
    """
    rows, columns = len(seen[0].scenes), 2 + len(seen)
    names = [f"{one.name}\n{score} {one.score:.4g}" for one in seen]
    with panelled(rows * columns, most=columns, width=2.3 * columns, height=2.1) as made:
        figure, axes = made
        for place, ax in enumerate(axes):
            row, column = divmod(place, columns)
            ax.set_axis_off()
            truth = seen[0].scenes[row].truth
            if column == 0:
                ax.imshow(truth.image)
            else:
                other = column > 1
                scene = seen[column - 2].scenes[row].predicted if other else truth
                _draw(ax, scene, seen[0].facts)
            if row == 0:
                ax.set_title(["image", "truth", *names][column], fontsize="x-small")
        entitle(figure, title)
    return figure


def _draw(ax: Axes, scene: Scene, facts: dict[str, Any]) -> None:
    """Draw the truth or a prediction for a scene in the form of its task."""
    task = facts["task"]
    if task == "saliency":
        assert scene.saliency is not None, "its task says it"
        ax.imshow(scene.saliency, cmap="gray", vmin=0, vmax=255)
    elif task == "segmentation":
        assert scene.semantic is not None, "its task says it"
        ax.imshow(_in_colours(scene.semantic), interpolation="nearest")
    elif task == "keypoints":
        _points(ax, scene)
    else:
        _objects(ax, scene, facts["classes"], masks=task == "instances")


def _in_colours(classes: Any) -> Any:
    """Colour classes: black for the background, white for what does not count."""
    shown = np.array([_colour(int(number)) for number in range(256)])
    shown[0], shown[IGNORED] = 0.0, 1.0
    return shown[classes]


def _colour(number: int) -> tuple[float, ...]:
    colours = mpl.colormaps[_PALETTE]
    return tuple(colours(number % colours.N)[:3])


def _points(ax: Axes, scene: Scene) -> None:
    """Draw joints, one colour per joint, connected in order for each object."""
    ax.imshow(_dimmed(scene.image))
    assert scene.keypoints is not None, "its task says it"
    for points in scene.keypoints:
        there = points[points[:, 2] > 0]
        ax.plot(there[:, 0], there[:, 1], color="white", linewidth=0.6, alpha=0.7)
        colours = [_colour(number) for number in np.flatnonzero(points[:, 2] > 0).tolist()]
        ax.scatter(there[:, 0], there[:, 1], c=colours, s=9, zorder=3)


def _objects(ax: Axes, scene: Scene, classes: Sequence[str], *, masks: bool) -> None:
    """Draw a box for each object in the colour of its class, with the class's name."""
    assert scene.boxes is not None, "its task says it"
    assert scene.labels is not None, "of each box"
    image = _dimmed(scene.image)
    if masks and scene.masks is not None:
        for mask, label in zip(scene.masks, scene.labels, strict=True):
            image[mask] = (1 - _COVER) * image[mask] + _COVER * np.array(_colour(int(label)))
    ax.imshow(image)
    for (left, top, right, bottom), label in zip(scene.boxes, scene.labels, strict=True):
        colour = _colour(int(label))
        ax.add_patch(
            Rectangle(
                (left, top), right - left, bottom - top, fill=False, edgecolor=colour,
                linewidth=1.2,
            )
        )  # fmt: skip
        ax.text(
            left, top, classes[label], color="white", fontsize="xx-small", va="bottom",
            bbox={"facecolor": colour, "edgecolor": "none", "pad": 0.6}, clip_on=True,
        )  # fmt: skip


def _dimmed(image: Any) -> Any:
    """Scale an image to 0 to 1 and dim it, so that what is drawn on it stands out."""
    return np.asarray(image, dtype=float) / 255 * _DIM
