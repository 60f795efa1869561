"""Show measured times of a network as a table. No torch here."""

from typing import TYPE_CHECKING

from rich.table import Table

if TYPE_CHECKING:
    from res2net.timing import Timing


def time_table(timing: "Timing") -> Table:
    """Make one row per kind of pass and batch: median, spread, images/s and memory."""
    side = timing.image_size
    table = Table(title=f"float32, images of {side} x {side} pixels, on {timing.device}")
    table.add_column("pass")
    for column in ("batch", "median ms", "half of the runs", "images/s", "memory MiB", "runs"):
        table.add_column(column, justify="right", no_wrap=True)
    for row in timing.rows:
        low, high = 1e3 * row.low, 1e3 * row.high
        memory = "-" if row.memory is None else f"{row.memory / 2**20:,.0f}"
        table.add_row(
            row.what,
            f"{row.batch:,}",
            f"{1e3 * row.median:,.2f}",
            f"{low:,.2f} to {high:,.2f}",
            f"{row.images_per_s:,.0f}",
            memory,
            str(row.runs),
        )
    table.caption = "memory: most at once beyond what was in use before, weights left out"
    return table
