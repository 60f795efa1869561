"""How many CPU cores may be used here, which may be fewer than the machine has."""


def usable_cores() -> int:
    """Count the CPU cores that this process may use, at least 1.

    A container, a job of a batch system (SLURM) and `taskset` may leave it fewer than the
    machine has: limits on cores (affinity) and on their time (cgroup) are both counted; a share
    of a core counts as a whole one.
    """
    from joblib import cpu_count  # noqa: PLC0415 - few commands need it

    return int(cpu_count())
