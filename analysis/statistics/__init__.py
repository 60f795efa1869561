"""Computes intervals, tests, resampling and error distributions."""
