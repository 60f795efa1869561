"""Average precision of detections, by torchmetrics and COCO's own rules."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import interpolate

from search.tasks.libraries import library

# Our names of torchmetrics' scores; AP is the mean over IoU 0.50 to 0.95.
NAMES = {
    "ap": "map",
    "ap50": "map_50",
    "ap75": "map_75",
    "ap_small": "map_small",
    "ap_medium": "map_medium",
    "ap_large": "map_large",
    "ar": "mar_100",
}


def average_precision(
    pairs: Iterable[tuple[dict[str, Tensor], dict[str, Tensor]]], *, masks: bool, scale: float
) -> dict[str, float | None]:
    """Scores of predictions, in percent.

    Args:
        pairs: for each image the prediction (boxes, labels, scores, and masks as bool) and the
            truth (boxes, labels, iscrowd, area, and masks).
        masks: whether masks are compared, else boxes.
        scale: factor for sizes in pixels before they are classed as small or large.

    Returns:
        The scores in NAMES; None for a size of which there is no object.

    Raises:
        LibraryMissingError: torchmetrics or faster-coco-eval is not installed.
    """
    metric, prefix = _metric(masks), "segm_" if masks else ""
    for predicted, true in pairs:
        metric.update([_scaled(predicted, masks, scale)], [_scaled(true, masks, scale)])
    found = metric.compute()
    scores = {ours: float(found[prefix + theirs]) for ours, theirs in NAMES.items()}
    return {name: 100 * score if score >= 0 else None for name, score in scores.items()}


def _metric(masks: bool) -> Any:
    return library("torchmetrics.detection").MeanAveragePrecision(
        # For masks alone it would skip images without an object, and false predictions there.
        iou_type=("bbox", "segm") if masks else "bbox",
        backend="faster_coco_eval",
        # Its own are in single precision, and move recalls such as 0.2 across their threshold.
        iou_thresholds=np.linspace(0.5, 0.95, 10).tolist(),
        rec_thresholds=np.linspace(0.0, 1.0, 101).tolist(),
    )


def _scaled(found: dict[str, Tensor], masks: bool, scale: float) -> dict[str, Tensor]:
    """The same boxes and areas in an image enlarged by `scale`."""
    kept = {key: value.cpu() for key, value in found.items() if key != "masks"}
    kept["boxes"] = kept["boxes"].float() * scale
    if "area" in kept:
        kept["area"] = kept["area"].float() * scale**2
    if masks:
        kept["masks"] = _larger(found["masks"].cpu(), scale)
    return kept


def _larger(masks: Tensor, scale: float) -> Tensor:
    if scale == 1:
        return masks.bool()
    height, width = masks.shape[-2:]
    size = (round(height * scale), round(width * scale))
    if not len(masks):
        return torch.zeros(0, *size, dtype=torch.bool)
    return interpolate(masks[None].float(), size=size, mode="nearest")[0].bool()
