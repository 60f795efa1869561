"""Which trials stand for their networks, where settings are tuned inside these."""

from collections.abc import Sequence

import pandas as pd

from search.schema.metrics import Objective
from search.study.events import Status

# As `search.study.tries` has it: whole ones, those that got furthest, then the rest.
_PLACES = {Status.OK.value: 0, Status.PRUNED.value: 1, Status.REJECTED.value: 2}
_OTHERS = 3


def standing(trials: pd.DataFrame, ranking: Objective, tuned: Sequence[str]) -> pd.Series:
    """Which trials count: of each network the best of its tries, and all with other seeds.

    Args:
        trials: of a run that tunes settings inside its networks.
        ranking: the metric that says which is the best.
        tuned: the settings.

    Returns:
        A mask over the trials. While tries of a network run, the best of those so far; where
        there are other seeds, the try that has the settings of these.
    """
    search = trials[trials["phase"] == "search"]
    tries, repeats = (search[search["repeat"] == 0], search[search["repeat"] > 0])
    columns = ["epochs_planned" if key == "epochs" else key for key in tuned]
    settled = repeats.drop_duplicates("name").set_index("name")[columns]
    own = settled.reindex(tries["name"]).set_index(tries.index)
    other = own.notna().any(axis=1) & (own != tries[columns]).any(axis=1)
    places = tries["status"].map(_PLACES).fillna(_OTHERS)
    ordered = pd.DataFrame(
        {
            "name": tries["name"],
            "other": other,
            "place": places,
            "epochs": -tries["epochs"].fillna(0).where(places == 1, 0),
            "loss": tries[ranking.column].map(ranking.loss).where(places <= 1, 0),
            "trial": tries["trial"],
        }
    ).sort_values(["other", "place", "epochs", "loss", "trial"])
    best = ordered.drop_duplicates("name").index
    mask = pd.Series(True, index=trials.index)
    mask[tries.index.difference(best)] = False
    return mask
