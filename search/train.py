"""Train one network: python -m search.train Res2Net-50-26w-4s --data cifar100 --epochs 30.

It has the journal, checkpoints and report of a study; the same command resumes it.
"""

from collections.abc import Sequence

from search.executors.signals import asked_to_end, run_process


def main(argv: Sequence[str]) -> int:
    """Run the command line; the exit code."""
    with asked_to_end():
        from search import train_command  # noqa: PLC0415 - slow; Ctrl-C may come meanwhile

    return train_command.main(argv)


if __name__ == "__main__":
    run_process(main)
