"""The loss of classification: cross-entropy, over both labels where images are mixed."""

import torch
from torch import Tensor
from torch.nn import functional as F

from search.images.augmentation import Targets


def mixed_loss(logits: Tensor, targets: Targets, *, smoothing: float) -> Tensor:
    """Mean cross-entropy; for mixed images, of both their labels with their weights.

    Args:
        logits: (N, classes); float64 is kept, others are converted to float32.
        targets: labels of the images, and of what was mixed in.
        smoothing: share of each target that is divided among all classes (Szegedy et al.,
            2016).
    """
    logits = logits if logits.dtype == torch.float64 else logits.float()
    if targets.partners is None or targets.weight is None:
        return F.cross_entropy(logits, targets.labels, label_smoothing=smoothing)
    both = [
        F.cross_entropy(logits, labels, label_smoothing=smoothing, reduction="none")
        for labels in (targets.labels, targets.partners)
    ]
    return torch.lerp(both[1], both[0], targets.weight.to(logits.dtype)).mean()
