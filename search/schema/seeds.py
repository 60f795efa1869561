"""Derives the seed of every random choice from (study seed, purpose, trial)."""

import zlib

import numpy as np

from res2net.file_names import bytes_of


def seed_of(study_seed: int, purpose: str, trial: int = 0) -> int:
    """A 32-bit seed; different purposes and trials give independent ones.

    Args:
        study_seed: `search.seed` of the space file.
        purpose: what is drawn, such as "tpe" or "trial".
        trial: number of the trial.
    """
    entropy = (study_seed, zlib.crc32(bytes_of(purpose)), trial)
    return int(np.random.SeedSequence(entropy).generate_state(1)[0])
