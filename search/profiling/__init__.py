"""Profiling before a study: time and memory of candidates, and how many can share a GPU."""
