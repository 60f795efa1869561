"""Profiling before a study: time and memory of candidates, and how many share a GPU."""
