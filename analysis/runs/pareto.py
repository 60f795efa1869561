"""What nothing else beats: the networks of a run by cost and accuracy."""

import pandas as pd


def accuracy_vs_macs(trials: pd.DataFrame) -> pd.DataFrame:
    """Every trial of the search with an accuracy, and which of them nothing beats.

    Args:
        trials: from `analysis.runs.tables.trials`.

    Returns:
        The rows with a validation error, by rising MACs, and the columns `macs_m` (millions),
        `accuracy_pct`, `mean_scale` (over the stages), `whole` (trained to the end) and
        `on_front` (of the whole ones: no other has as few MACs and as low an error, one of
        them lower).
    """
    shown = trials[(trials["phase"] == "search") & trials["val_error_pct"].notna()].copy()
    shown["macs_m"] = shown["macs"] / 1e6
    shown["accuracy_pct"] = 100 - shown["val_error_pct"]
    shown["whole"] = shown["status"] == "ok"
    shown["mean_scale"] = [_mean(scale) for scale in shown["scale"]]
    shown = shown.sort_values(["macs", "val_error_pct", "trial"])
    shown["on_front"] = False
    best = (float("inf"), 0)  # error and MACs of the last network on the front
    for index, row in shown[shown["whole"]].iterrows():
        here = (row["val_error_pct"], row["macs"])
        if here[0] < best[0] or here == best:
            best = here
            shown.loc[index, "on_front"] = True
    return shown.reset_index(drop=True)


def _mean(scale: object) -> float:
    """Of a scale as tables have it: 4, or 1.2.4 for one each stage."""
    numbers = [int(number) for number in str(scale).split(".")]
    return sum(numbers) / len(numbers)
