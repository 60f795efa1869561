"""Write the results of a finished run as a table, or train a part of one again.

python -m search.table RUN --out FOLDER      the table, with latencies measured here
python -m search.table --check 5% [FOLDER]   of the table that ships, or of another one
"""

from collections.abc import Sequence

from search.executors.signals import asked_to_end, run_process


def main(argv: Sequence[str]) -> int:
    """Run the command line; the exit code."""
    with asked_to_end():
        from search import table_command  # noqa: PLC0415 - slow; Ctrl-C may come meanwhile

    return table_command.main(argv)


if __name__ == "__main__":
    run_process(main)
