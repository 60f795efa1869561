"""Train one network: python -m search.train Res2Net-50-26w-4s --data cifar100 --epochs 30.

The same journal, checkpoints and report as a study of many; the same command goes on.
"""

from collections.abc import Sequence

from search.executors.signals import asked_to_end, run_process


def main(argv: Sequence[str]) -> int:
    """Run the command line; the exit code."""
    with asked_to_end():
        from search import train_command  # noqa: PLC0415 - takes a while, in which Ctrl-C may come

    return train_command.main(argv)


if __name__ == "__main__":
    run_process(main)
