"""Executors run the trials of a study: Ray Tune, or this process."""
