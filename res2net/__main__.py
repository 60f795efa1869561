"""What a network costs, on the command line.

python -m res2net NAME [--image-size N] [--json]
python -m res2net --published
"""

import argparse
import json
import sys
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from res2net.architecture import Architecture, ArchitectureError
from res2net.cost import cost
from res2net.names import parse
from res2net.published import Published, matches, published

_FLOAT32 = 4  # bytes


def main(argv: Sequence[str]) -> int:
    """Print what the arguments ask for; 0, or 2 when they name no network."""
    arguments = _parser().parse_args(argv)
    if arguments.published:
        _print_published()
        return 0
    try:
        network = parse(arguments.name)
    except ArchitectureError as error:
        print(error, file=sys.stderr)
        return 2
    facts = describe(network, image_size=arguments.image_size or network.image_size)
    if arguments.json:
        print(json.dumps(facts, indent=2))
    else:
        _print_facts(facts)
    return 0


def describe(network: Architecture, *, image_size: int) -> dict[str, object]:
    """Name, dimensions and exact cost of one network; bytes are of float32 numbers."""
    counted = cost(network, image_size=image_size)
    return {
        "name": network.name,
        "skeleton": network.skeleton,
        "depth": network.layers,
        "blocks": list(network.blocks),
        "width": network.width,
        "scale": network.scale,
        "cardinality": network.cardinality,
        "classes": network.classes,
        "image_size": image_size,
        "params": counted.params,
        "macs": counted.macs,
        "activations": counted.activations,
        "weights_bytes": counted.params * _FLOAT32,
        "activations_bytes_per_image": counted.activations * _FLOAT32,
    }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m res2net", description=__doc__.splitlines()[0])
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("name", nargs="?", help="such as Res2Net-50-26w-4s or 29d-6c-4s")
    what.add_argument("--published", action="store_true", help="printed against counted")
    parser.add_argument("--image-size", type=_side, metavar="N", help="side in pixels")
    parser.add_argument("--json", action="store_true", help="for programs")
    return parser


def _side(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of pixels from 1 up")
    return int(text)


def _print_facts(facts: dict[str, object]) -> None:
    table = Table(show_header=False, box=None)
    for key, value in facts.items():
        shown = f"{value:,}" if isinstance(value, int) else str(value)
        if isinstance(value, int) and "bytes" in key:
            shown += f" ({value / 2**20:.1f} MiB in float32)"
        table.add_row(key.replace("_", " "), shown)
    Console().print(table)


def _print_published() -> None:
    table = Table("table", "network", title="printed in the paper against counted here")
    table.caption = "cifar100 and fig5 are counted with a 10-class head, as the paper's are"
    for column in ("params M", "counted", "MACs G", "counted", "top-1 err %"):
        table.add_column(column, justify="right")
    table.add_column("match")
    table.add_column("note")
    for row in published():
        table.add_row(*_cells(row))
    # A pipe or a narrow window gets whole rows all the same.
    Console(width=max(Console().width, 170)).print(table)


def _cells(row: Published) -> list[str]:
    counted = row.counted()
    verdict = {True: "yes", False: "no", None: "-"}[matches(row)]
    return [
        row.table,
        row.name,
        row.params_m or "-",
        f"{counted.params / 1e6:.3f}" if counted else "-",
        row.gmacs or "-",
        f"{counted.macs / 1e9:.3f}" if counted else "-",
        f"{row.top1_error:.2f}" if row.top1_error is not None else "-",
        verdict,
        row.note,
    ]


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
