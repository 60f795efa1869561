"""Who runs the trials: Ray Tune, or this process."""
