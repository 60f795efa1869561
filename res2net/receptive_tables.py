"""Format receptive fields counted by `res2net.receptive` as tables, text or plain data."""

from decimal import Decimal

from rich.table import Table

from res2net.architecture import Architecture
from res2net.blocks.base import Paths
from res2net.receptive import binned, block_paths, network_paths, summary

_BINS = 20  # rows that fit easily on a screen
_BAR = 30  # length of the longest bar in characters


def describe_paths(network: Architecture) -> dict[str, object]:
    """Give the paths of each kind of block and of the whole network by receptive field."""
    paths = network_paths(network)
    return {
        "block_paths_by_receptive_field": [
            {"scale": scale, "opens": opens, "paths": by_field}
            for (scale, opens), by_field in _blocks_of(network).items()
        ],
        "receptive_fields": summary(paths)._asdict(),
        "paths_by_receptive_field": paths,
    }


def block_table(network: Architecture) -> Table:
    """Tabulate the paths through each kind of block in the network."""
    blocks = _blocks_of(network)
    table = Table()
    table.add_column("receptive field\nin pixels of its input", justify="right")
    for scale, opens in blocks:
        kind = "opening" if opens else "inside"
        table.add_column(f"scale {scale}\n{kind}", justify="right", no_wrap=True)
    for field in sorted(set().union(*blocks.values())):
        table.add_row(str(field), *(str(paths.get(field, "")) for paths in blocks.values()))
    table.add_section()
    table.add_row("all", *(str(sum(paths.values())) for paths in blocks.values()))
    return table


def network_table(paths: Paths) -> Table:
    """Tabulate the paths through a network by range of receptive fields, with bars."""
    table = Table()
    for column in ("receptive field\nin pixels of the image", "paths", "share"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column()
    total, ranges = sum(paths.values()), binned(paths, bins=_BINS)
    most = max(some.paths for some in ranges)
    for low, high, count in ranges:
        bar = "#" * round(_BAR * count / most)
        table.add_row(f"{low} to {high}", _digits(count), _percent(count, total), bar)
    return table


def paths_in_words(paths: Paths, *, image_size: int) -> str:
    """State in one line how many paths there are and how large their receptive fields are."""
    said = summary(paths)
    whole = sum(count for field, count in paths.items() if field >= image_size)
    return (
        f"{_digits(said.paths)} paths see {said.smallest} to {said.largest} pixels "
        f"(mean {said.mean:.1f}, median {said.median}); "
        f"{_percent(whole, said.paths)} of them {image_size} or more, the image's side"
    )


def _blocks_of(network: Architecture) -> dict[tuple[int, bool], Paths]:
    """Count the paths through every kind of block, by scale and by whether it opens a stage."""
    return {
        (scale, opens): block_paths(scale, opens=opens, block=network.block)
        for scale in sorted(set(network.scales))
        for opens in (False, True)
    }


def _digits(count: int) -> str:
    """Write all digits of a count, or four significant digits if it is too long to read."""
    return f"{count:,}" if count < 10**15 else f"{Decimal(count):.3e}"


def _percent(count: int, total: int) -> str:
    share = count / total
    if 0 < share < 0.0001:
        return "< 0.01%"
    return "> 99.99%" if 0.9999 < share < 1 else f"{share:.2%}"
