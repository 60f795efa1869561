"""The rungs of successive halving: the epochs after which trials are compared."""


def rungs_of(grace: int, reduction: int, epochs: int) -> tuple[int, ...]:
    """The first rung, and each `reduction` times further; the end of a trial is none.

    Args:
        grace: epochs of the first rung.
        reduction: factor from rung to rung.
        epochs: of a whole trial.
    """
    rungs = []
    rung = grace
    while rung < epochs:
        rungs.append(rung)
        rung *= reduction
    return tuple(rungs)
