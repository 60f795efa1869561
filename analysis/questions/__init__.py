"""Answers questions about a run, one file for each: a table, and a sentence or a refusal."""
