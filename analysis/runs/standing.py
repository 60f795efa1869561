"""Selects the trials that represent their networks where settings are tuned per network."""

from collections.abc import Sequence

import pandas as pd

from search.schema.metrics import Objective
from search.study.events import Status

# As in `search.study.tries`: complete trials, those that got furthest, then the rest.
_PLACES = {Status.OK.value: 0, Status.PRUNED.value: 1, Status.REJECTED.value: 2}
_OTHERS = 3


def standing(trials: pd.DataFrame, ranking: Objective, tuned: Sequence[str]) -> pd.Series:
    """Tell which trials count: each network's best try, and all trials with other seeds.

    Args:
        trials: trials of a run that tunes settings for each network.
        ranking: the metric that decides which is best.
        tuned: the tuned settings.

    Returns:
        A mask over the trials. While tries of a network are running, the best so far counts;
        where there are trials with other seeds, the try that has the same settings as these
        counts.
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
