"""Executors, which run the trials of a study: through Ray Tune, or in this process."""
