"""Run a study, or resume it: python -m search.run SPACE.yaml.

Options: --plan shows what it would do, and what it can show; --out DIR; --set key=value;
--time-limit 25m; --address of a Ray cluster; --inline runs the trials in this process. The exit
code says how it ended (see --help); the same command resumes it.
"""

from collections.abc import Sequence

from search.executors.signals import asked_to_end, run_process


def main(argv: Sequence[str]) -> int:
    """Run the command line; the exit code."""
    with asked_to_end():
        from search import run_command  # noqa: PLC0415 - slow; Ctrl-C may come meanwhile

    return run_command.main(argv)


if __name__ == "__main__":
    run_process(main)
