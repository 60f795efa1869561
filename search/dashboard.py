"""Show a run in optuna-dashboard while it runs: python -m search.dashboard RUN."""

from collections.abc import Sequence

from search.executors.signals import asked_to_end, run_process


def main(argv: Sequence[str]) -> int:
    """Run the command line; the exit code."""
    with asked_to_end():
        from search import dashboard_command  # noqa: PLC0415 - slow; Ctrl-C may come meanwhile

    return dashboard_command.main(argv)


if __name__ == "__main__":
    run_process(main)
