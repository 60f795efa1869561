"""Print what a network costs and sees, on the command line.

python -m res2net NAME [--block BLOCK] [--channels N] [--image-size N] [--receptive-fields]
                       [--time [--device cpu|cuda] [--batch 1,128]] [--json]
python -m res2net --published
"""

import argparse
import json
import sys
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from res2net.architecture import Architecture
from res2net.blocks import BLOCKS
from res2net.consoles import console_of
from res2net.cost import cost
from res2net.errors import ArchitectureError
from res2net.exit_codes import PLAIN, ExitCode, exit_code_help
from res2net.names import described, published_side
from res2net.published import Published, matches, published
from res2net.receptive import network_paths
from res2net.receptive_tables import block_table, describe_paths, network_table, paths_in_words
from res2net.terminal import run_command
from res2net.time_table import time_table

_FLOAT32 = 4  # bytes
_ENDLESS = 10_000  # columns: wider than any table


def main(argv: Sequence[str]) -> int:
    """Print what the arguments ask for; return 0, or 2 when they name no valid network."""
    return run_command(lambda: _main(argv))


def _main(argv: Sequence[str]) -> int:
    arguments = _parsed(argv)
    if arguments.published:
        _print_published()
        return ExitCode.DONE
    try:
        network = described(arguments.name, arguments.block, arguments.channels)
        cost(network)  # imports a user-defined block
    except ArchitectureError as error:
        print(error, file=sys.stderr)
        return ExitCode.BAD_INPUT
    image_size = arguments.image_size or published_side(arguments.name) or network.image_size
    facts = describe(network, image_size=image_size)
    if arguments.time:
        return _time(network, facts, arguments, image_size=image_size)
    if arguments.json:
        paths = describe_paths(network) if arguments.receptive_fields else {}
        print(json.dumps(facts | paths, indent=2))
        return ExitCode.DONE
    _print_facts(facts)
    if arguments.receptive_fields:
        _print_paths(network, image_size=image_size)
    return ExitCode.DONE


def describe(network: Architecture, *, image_size: int) -> dict[str, object]:
    """Give name, dimensions and exact cost of one network; byte counts assume float32."""
    counted = cost(network, image_size=image_size)
    return {
        "name": network.name,
        "skeleton": network.skeleton,
        "depth": network.layers,
        "blocks": list(network.blocks),
        "planes": network.planes,
        "width": network.width,
        "scale": network.scale,
        "cardinality": network.cardinality,
        "se": network.se,
        "version": network.version,
        "first_block": network.first_block,
        "block": network.block,
        "classes": network.classes,
        "channels": network.channels,
        "image_size": image_size,
        "params": counted.params,
        "macs": counted.macs,
        "activations": counted.activations,
        "weights_bytes": counted.params * _FLOAT32,
        "activations_bytes_per_image": counted.activations * _FLOAT32,
    }


def _parsed(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        "python -m res2net",
        description=__doc__.splitlines()[0],
        epilog=exit_code_help(PLAIN),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("name", nargs="?", help="such as Res2Net-50-26w-4s or 29d-6c-4s")
    what.add_argument("--published", action="store_true", help="compare printed with counted")
    parser.add_argument(
        "--block", metavar="BLOCK", help=f"{', '.join(BLOCKS)}, or package.module:attribute"
    )
    parser.add_argument("--channels", type=_count, metavar="N", help="channels of the images")
    parser.add_argument(
        "--image-size", type=_count, metavar="N", help="side of the images in pixels"
    )
    parser.add_argument(
        "--receptive-fields", action="store_true", help="how many paths see how many pixels"
    )
    parser.add_argument(
        "--time", action="store_true", help="measure inference and a training step, in float32"
    )
    parser.add_argument("--device", choices=("cpu", "cuda"), help="where to time; default: cpu")
    parser.add_argument(
        "--batch", type=_counts, metavar="N,N", help="images at once to time; default: 1,32"
    )
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")
    arguments = parser.parse_args(argv)
    if arguments.published and (
        arguments.receptive_fields
        or arguments.json
        or arguments.image_size
        or arguments.block
        or arguments.channels
        or arguments.time
    ):
        parser.error("--published takes no other option; leave it out to look at one network")
    if arguments.time and arguments.receptive_fields:
        parser.error("--time and --receptive-fields do not go together; give one at a time")
    if (arguments.device or arguments.batch) and not arguments.time:
        parser.error("--device and --batch need --time; give it too")
    return arguments


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 up")
    return int(text)


def _counts(text: str) -> list[int]:
    return [_count(part.strip()) for part in text.split(",")]


def _time(
    network: Architecture,
    facts: dict[str, object],
    arguments: argparse.Namespace,
    *,
    image_size: int,
) -> int:
    """Measure and print; return 0, or 2 where the device is missing or its memory too small."""
    from res2net.timing import TimingError, time_batches  # noqa: PLC0415 - torch only here

    device, batches = arguments.device or "cpu", arguments.batch or [1, 32]
    if not arguments.json:
        _print_facts(facts)
    try:
        timed = time_batches(network, batches, device=device, image_size=image_size)
    except TimingError as error:
        print(error, file=sys.stderr)
        return 2
    if arguments.json:
        print(json.dumps(facts | timed.to_json(), indent=2))
    else:
        console_of(max(Console().width, 90)).print(time_table(timed))
    return 0


def _print_facts(facts: dict[str, object]) -> None:
    table = Table(show_header=False, box=None)
    for key, value in facts.items():
        whole = isinstance(value, int) and not isinstance(value, bool)
        shown = f"{value:,}" if whole else str(value)
        if isinstance(value, int) and "bytes" in key:
            shown += f" ({value / 2**20:.1f} MiB in float32)"
        table.add_row(key.replace("_", " "), shown)
    # As wide as the table: a name that is cut names another network, or none.
    widest = console_of(_ENDLESS).measure(table).maximum
    console_of(max(Console().width, widest)).print(table)


def _print_paths(network: Architecture, *, image_size: int) -> None:
    paths = network_paths(network)
    screen = console_of(max(Console().width, 110))  # wide enough for eight kinds of block
    print("\npaths through a block; opening: it changes stride or channels, and sums no splits")
    screen.print(block_table(network))
    print("\npaths through the network")
    screen.print(network_table(paths))
    print(paths_in_words(paths, image_size=image_size))
    print(
        f"each of the {len(paths)} receptive fields: --json; "
        f"drawn for scale 1 to 8: python -m analysis.inside.receptive {network.name}"
    )


def _print_published() -> None:
    table = Table("table", "network", title="printed in the paper against counted here")
    table.caption = (
        "cifar100 and fig5 are counted with a 10-class head, as the paper's are; "
        "in brackets: with what the published DLA holds and never uses"
    )
    for column in ("params M", "counted", "MACs G", "counted", "top-1 err %"):
        table.add_column(column, justify="right")
    table.add_column("match")
    table.add_column("note")
    for row in published():
        table.add_row(*_cells(row))
    # Rows are not wrapped, even in a pipe or a narrow window.
    console_of(max(Console().width, 170)).print(table)


def _cells(row: Published) -> list[str]:
    counted = row.counted()
    verdict = {True: "yes", False: "no", None: "-"}[matches(row)]
    return [
        row.table,
        row.name,
        row.params_m or "-",
        _with_idle(counted.params, row.idle.params, 10**6),
        row.gmacs or "-",
        _with_idle(counted.macs, row.idle.macs, 10**9),
        f"{row.top1_error:.2f}" if row.top1_error is not None else "-",
        verdict,
        row.note,
    ]


def _with_idle(counted: int, idle: int, unit: int) -> str:
    """Format our network's count; where it differs, add the published module's in brackets."""
    shown = f"{counted / unit:.3f}"
    return f"{shown} ({(counted + idle) / unit:.3f})" if idle else shown


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
