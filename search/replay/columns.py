"""The columns of a table of results: which are required, and what each holds."""

from search.schema.metrics import TEST, VALIDATION

NETWORK, REPEAT, EPOCH, SECONDS = "network", "repeat", "epoch", "seconds"
RATE, STATUS, REASON, DEVICE = "images_per_s", "status", "reason", "device"
TRAIN = "train_"
REQUIRED = (NETWORK, EPOCH, SECONDS)
METRICS = (TRAIN, VALIDATION, TEST)  # prefixes of their columns


def is_metric(column: str) -> bool:
    """Whether a column holds a metric: of the training, the validation or the test images."""
    return column.startswith(METRICS)
