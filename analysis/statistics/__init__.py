"""Intervals, tests, resampling and error distributions."""
