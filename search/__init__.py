"""How networks are tried: space, budget, proposals, trials, journal."""
