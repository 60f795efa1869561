"""Read published checkpoints and our own into our modules.

The entry point is `res2net.build(..., weights=...)`; these are the steps behind it.
"""

from res2net.weights.checkpoints import read_checkpoint
from res2net.weights.loading import (
    HeadDropped,
    PartsLeftOut,
    StemAdapted,
    fill,
    fill_from,
    from_timm,
)
from res2net.weights.namings import TIMM, timm_name

__all__ = [
    "TIMM",
    "HeadDropped",
    "PartsLeftOut",
    "StemAdapted",
    "fill",
    "fill_from",
    "from_timm",
    "read_checkpoint",
    "timm_name",
]
