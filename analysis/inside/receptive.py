"""Draws receptive fields for scale 1 to 8: python -m analysis.inside.receptive NAME.

Shows the results of `python -m res2net NAME --receptive-fields` as a figure: for network NAME
with its scale replaced by each scale in all stages.
"""

import argparse
import math
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.plots.picture import SUFFIXES, PictureError, check_out, write_picture
from analysis.plots.style import shades, styled
from res2net import Architecture, ArchitectureError, parse
from res2net.architecture import PerStage, written
from res2net.exit_codes import PLAIN, ExitCode, exit_code_help
from res2net.file_names import path_argument
from res2net.receptive import network_paths
from res2net.terminal import run_command
from search.schema.files import in_words

_SCALES = range(1, 9)
_RAISED = str.maketrans(
    "-0123456789", "\u207b\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079"
)


def main(argv: Sequence[str]) -> int:
    """Draw one network; return 0, 1 for a file that cannot be written, or 2."""
    return run_command(lambda: _main(argv), prints=False)


def _main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        "python -m analysis.inside.receptive",
        description=__doc__.splitlines()[0],
        epilog=exit_code_help(PLAIN),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("name", help="name of the network, such as Res2Net-50-26w-4s")
    parser.add_argument("--block", metavar="NAME", help="block instead of the name's own")
    parser.add_argument(
        "--out",
        type=path_argument,
        metavar="FILE",
        help="default: NAME_receptive.png; its suffix gives the format: " + " ".join(SUFFIXES),
    )
    arguments = parser.parse_args(argv)
    try:
        out = check_out(arguments.out) if arguments.out else None
        network = parse(arguments.name, block=arguments.block)
        out = out or check_out(Path(f"{network.name}_receptive.png"))
        write_picture(draw_paths_by_scale(paths_by_scale(network), network=network), out)
    except (ArchitectureError, PictureError) as error:
        print(error, file=sys.stderr)
        return ExitCode.BAD_INPUT
    except OSError as error:
        print(in_words(error), file=sys.stderr)
        return ExitCode.FAILED
    print(f"figure: {out}")
    return ExitCode.DONE


def paths_by_scale(network: Architecture) -> pd.DataFrame:
    """Count a network's paths by range of receptive field, for scale 1 to 8 and its own.

    A range is as wide as one pixel of the last stage; within it, the counts of some skeletons
    jump at every average pooling with an even kernel.

    Returns:
        One row for each scale and range: `scale` (as written in names), `low_px` and `high_px`
        (both included), `paths` (exact Python integers) and `log10_paths`.
    """
    width = network.facts.strides[-1]
    rows: list[tuple[str, int, int, int, float]] = []
    scales: list[PerStage] = [*_SCALES, *[network.scale] * (network.scale not in _SCALES)]
    for scale in scales:
        ranges: Counter[int] = Counter()
        for field, count in network_paths(replace(network, scale=scale)).items():
            ranges[(field - 1) // width] += count
        rows += [
            # math.log10 takes any integer, while floats end at 1e308.
            (written(scale), place * width + 1, (place + 1) * width, count, math.log10(count))
            for place, count in sorted(ranges.items())
        ]
    columns = ["scale", "low_px", "high_px", "paths", "log10_paths"]
    return pd.DataFrame(rows, columns=columns).astype({"paths": object})


def draw_paths_by_scale(table: pd.DataFrame, *, network: Architecture) -> Figure:
    """Draw paths on a log axis against the receptive field, one line per scale.

    Args:
        table: from `paths_by_scale`.
        network: the network of the table.
    """
    with styled():
        figure = Figure(figsize=(8.5, 5), layout="constrained")
        ax = figure.subplots()
        _draw_lines(table, ax, own=written(network.scale))
        ax.axvline(network.image_size, color="0.3", linewidth=1, linestyle="--", zorder=0)
        ax.annotate(
            f"the image: {network.image_size} px",
            (network.image_size, 1.0),
            xycoords=("data", "axes fraction"),
            xytext=(4, -2),
            textcoords="offset points",
            va="top",
            fontsize=8,
        )
        ax.set_ylim(bottom=0)
        ax.yaxis.set_major_locator(mpl.ticker.MaxNLocator(integer=True))
        ax.yaxis.set_major_formatter(lambda power, _: _power_of_ten(round(power)))
        width = table["high_px"].iloc[0] - table["low_px"].iloc[0] + 1
        ax.set_xlabel(f"receptive field (pixels of the image, in ranges of {width})")
        ax.set_ylabel("paths from the image to the last stage")
        ax.set_title(f"{network.name} at scale 1 to 8: paths by receptive field", loc="left")
        ax.legend(  # from top to bottom, in the order of the lines
            *(entries[::-1] for entries in ax.get_legend_handles_labels()),
            title="paths in all",
            loc="center left",
            bbox_to_anchor=(1.01, 0.5),
            frameon=False,
        )
    return figure


def _draw_lines(table: pd.DataFrame, ax: Axes, *, own: str) -> None:
    # Black if the network's own scale is not one of 1 to 8.
    colours = [*shades()(np.linspace(0, 1, len(_SCALES))), (0.0, 0.0, 0.0)]
    for colour, (scale, rows) in zip(colours, table.groupby("scale", sort=False), strict=False):
        ours = scale == own
        ax.plot(
            (rows["low_px"] + rows["high_px"]) / 2,
            rows["log10_paths"],
            color=colour,
            linewidth=3 if ours else 1.5,
            label=f"scale {scale}: {_scientific(sum(rows['paths']))}" + " (own)" * ours,
        )


def _scientific(count: int) -> str:
    digits, _, power = f"{Decimal(count):.1e}".partition("e+")
    return f"{digits} \u00d7 {_power_of_ten(int(power))}"


def _power_of_ten(power: int) -> str:
    return f"10{str(power).translate(_RAISED)}"


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
