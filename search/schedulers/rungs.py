"""The rungs of successive halving: the epochs after which trials are compared."""


def rungs_of(grace: int, reduction: int, epochs: int) -> tuple[int, ...]:
    """The first rung, and each further one at `reduction` times the epochs, before the last.

    Args:
        grace: epochs of the first rung.
        reduction: factor from rung to rung.
        epochs: epochs of a complete trial.
    """
    rungs = []
    rung = grace
    while rung < epochs:
        rungs.append(rung)
        rung *= reduction
    return tuple(rungs)
